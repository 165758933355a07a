"""Bans of modules and functions in the package, as ruff checks them: a ban must exist, and the package must keep it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.package_ast import PACKAGE

RUFF = str(Path(sys.executable).with_name("ruff"))
RULES = "TID251,S102,S307,S311,S324"
"""Banned API; and of flake8-bandit: exec, eval, predictable random numbers, broken hash functions."""

BANNED = {
    "ASVS-1.3.2": [
        *("import subprocess", "import os; os.system('id')", "from os import popen", "eval('1')", "exec('1')"),
        *("from importlib import import_module", "from django.utils.module_loading import import_string"),
    ],
    "ASVS-1.5.2": [
        "import pickle",
        "import marshal",
        "import shelve",
        "import dill",
        "import yaml",
        "import jsonpickle",
    ],
    "ASVS-6.5.3": ["import random", "from uuid import uuid1", "import uuid; uuid.uuid3", "import uuid; uuid.uuid5"],
    "ASVS-11.2.1": ["import Crypto.Cipher", "import rsa", "import ecdsa", "import passlib.hash"],
    "ASVS-11.4.1": [
        "import hashlib; hashlib.md5(b'')",
        "from hashlib import sha1",
        "import hashlib; hashlib.new('md4')",
    ],
    "ASVS-13.1.1": [
        *("import requests", "import httpx", "import urllib3", "import urllib.request", "from http import client"),
        "from django.core.mail import send_mail",
    ],
    "REG-AUTHLIB-01": ["import authlib"],
    "REG-DJANGO-20": ["from django.contrib.contenttypes.admin import GenericTabularInline"],
    "REG-PYTHONJOSE-01": ["from jose import jwt"],
}


def check(*arguments: str, source: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [RUFF, "check", "--no-cache", "--no-fix", "--select", RULES, "--output-format", "concise", *arguments]
    return subprocess.run(
        command, input=source, capture_output=True, text=True, cwd=PACKAGE.parent, timeout=60, check=False
    )


@pytest.mark.ledger("ASVS-1.3.2", "ASVS-1.5.2", "ASVS-6.5.3", "ASVS-11.2.1", "ASVS-11.4.1", "ASVS-13.1.1")
@pytest.mark.ledger("REG-AUTHLIB-01", "REG-DJANGO-20", "REG-PYTHONJOSE-01")
def test_package_uses_no_banned_api() -> None:
    done = check("latchkey")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("statements", BANNED.values(), ids=BANNED)
def test_bans_reject_each_api_that_a_requirement_excludes(statements: list[str]) -> None:
    done = check("--stdin-filename", "latchkey/x.py", "-", source="\n".join(statements))
    rejected = {line.split(":")[1] for line in done.stdout.splitlines() if line.startswith("latchkey/x.py:")}
    assert rejected == {str(number) for number in range(1, len(statements) + 1)}, done.stdout
