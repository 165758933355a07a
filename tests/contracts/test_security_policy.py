"""SECURITY.md: the time limits for security fixes, and the software bill of materials."""

import json
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "SECURITY.md").read_text()
HOURS = {"hours": 1, "days": 24}
ALLOWED = {"critical": 48, "high": 7 * 24, "medium": 30 * 24, "low": 90 * 24}


@pytest.mark.ledger("ASVS-15.1.1")
def test_security_policy_gives_each_severity_a_time_limit_for_the_fix() -> None:
    rows = re.findall(r"^\| (\w+).*? \| (\d+) (hours|days) \| (\d+) (hours|days) \|$", PAGE, re.MULTILINE)
    promised = {severity: (int(ours) * HOURS[a], int(theirs) * HOURS[b]) for severity, ours, a, theirs, b in rows}
    assert promised == {severity: (hours, hours) for severity, hours in ALLOWED.items()}
    assert "Report a vulnerability in private" in PAGE


@pytest.mark.slow
@pytest.mark.ledger("ASVS-15.1.2")
def test_sbom_lists_the_locked_dependencies_with_their_hashes(tmp_path: Path) -> None:
    listed = components(tmp_path)
    lock = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    hashes = {
        (package["name"], package["version"]): {
            file["hash"].removeprefix("sha256:")
            for file in (*package.get("wheels", []), *filter(None, [package.get("sdist")]))
        }
        for package in lock
    }
    for part in listed:
        own = {one["content"] for file in part["externalReferences"] for one in file["hashes"]}
        assert own == hashes[part["name"], part["version"]], part["name"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {part["name"] for part in listed}
    assert names >= {package_name(one) for one in project["dependencies"]}
    assert {name for name, _ in hashes} - names >= {"pytest", "hypothesis", "ruff", "latchkey"}


def components(folder: Path) -> list[dict[str, Any]]:
    """Run the command of the page; return the components that it lists."""
    (command,) = re.findall(r"^\.venv/bin/(uv export .*)$", PAGE, re.MULTILINE)
    program, *arguments = shlex.split(command)
    arguments[-1] = str(folder / "sbom.cdx.json")
    subprocess.run(
        [ROOT / ".venv/bin" / program, *arguments], cwd=ROOT, check=True, timeout=60, stdout=subprocess.DEVNULL
    )
    document = json.loads((folder / "sbom.cdx.json").read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    parts: list[dict[str, Any]] = document["components"]
    return parts


def package_name(requirement: str) -> str:
    """Return the package name of a requirement, without extras and version."""
    name = re.match(r"[\w.-]+", requirement)
    assert name
    return name[0].lower()
