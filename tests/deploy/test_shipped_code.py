"""The shipped source has no insecure calls, implicit serializer fields or generic inlines."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import latchkey

SOURCE = Path(latchkey.__file__).parent
RUFF = str(Path(sys.executable).with_name("ruff"))
RULES = {
    "S102": "exec",
    "S301": "pickle",
    "S307": "eval",
    "S311": "random numbers that can be guessed",
    "S324": "MD5 and SHA-1",
    "S506": "yaml.load",
}


def ruff(rules: str, target: Path) -> subprocess.CompletedProcess[str]:
    command = [RUFF, "check", "--isolated", "--ignore-noqa", "--no-cache", "--select", rules, str(target)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.ledger("ASVS-1.5.2", "ASVS-1.3.2", "ASVS-6.5.3", "ASVS-11.4.1")
def test_shipped_code_has_no_eval_pickle_weak_hash_or_weak_random(tmp_path: Path) -> None:
    done = ruff(",".join(RULES), SOURCE)
    assert done.returncode == 0, done.stdout
    bad = tmp_path / "bad.py"
    bad.write_text(
        "import hashlib, pickle, random\nhashlib.md5(b'')\npickle.loads(b'')\nrandom.random()\neval(input())\n"
    )
    found = ruff(",".join(RULES), bad).stdout
    assert {"S301", "S307", "S311", "S324"} <= set(re.findall(r"\bS\d{3}\b", found))


@pytest.mark.ledger("CS-DRF-2")
def test_shipped_serializers_list_their_fields_explicitly() -> None:
    files = list(SOURCE.rglob("serializers.py"))
    assert files
    for path in files:
        assert not re.search(r"__all__|\bexclude\b", path.read_text()), path


@pytest.mark.ledger("REG-DJANGO-20")
def test_shipped_admin_has_no_generic_inlines_and_no_editable_lists() -> None:
    files = list((SOURCE / "admin").rglob("*.py"))
    assert len(files) >= 6
    for path in files:
        assert not re.search(r"Generic\w*Inline|list_editable", path.read_text()), path
