"""Dependencies: locked by hash, from one registry, and without versions that have known vulnerabilities."""

import re
import tomllib
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

LOCK = Path(__file__).resolve().parents[2] / "uv.lock"
FLOORS = {"django": "5.2.19", "djangorestframework": "3.18.3", "pyjwt": "2.15.1", "django-constance": "4.4"}
UNWANTED = ["python-jose", "jose", "djangorestframework-simplejwt", "djoser", "dj-rest-auth", "gunicorn"]
FOR_TESTS_ONLY = ["authlib"]
"""The client of another project that the tests of the token endpoint use; never a library of the service."""


@pytest.fixture(scope="module")
def locked() -> dict[str, dict[str, Any]]:
    return {package["name"]: package for package in tomllib.loads(LOCK.read_text())["package"]}


def version_numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))


@pytest.mark.ledger("REG-DJANGO-10", "REG-DJANGO-14", "REG-PYJWT-01", "ASVS-15.2.1")
@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_locked_dependency_is_not_older_than_its_last_security_fix(
    locked: dict[str, dict[str, Any]], name: str, floor: str
) -> None:
    assert version_numbers(locked[name]["version"]) >= version_numbers(floor)
    assert version(name) == locked[name]["version"]


@pytest.mark.ledger("REG-PYTHONJOSE-01")
@pytest.mark.parametrize("name", UNWANTED)
def test_lock_does_not_contain_libraries_with_unfixed_vulnerabilities(
    locked: dict[str, dict[str, Any]], name: str
) -> None:
    assert "pyjwt" in locked
    assert name not in locked


def installed_with_the_service(locked: dict[str, dict[str, Any]]) -> set[str]:
    """Return the names of the packages that the service depends on, with those of its optional features."""
    names, seen = {"latchkey"}, set()
    while names:
        package = locked[name := names.pop()]
        seen.add(name)
        needed = [*package.get("dependencies", []), *chain(*package.get("optional-dependencies", {}).values())]
        names |= {entry["name"] for entry in needed} - seen
    return seen


@pytest.mark.ledger("REG-PYTHONJOSE-01")
@pytest.mark.parametrize("name", FOR_TESTS_ONLY)
def test_service_does_not_depend_on_libraries_of_its_tests(locked: dict[str, dict[str, Any]], name: str) -> None:
    installed = installed_with_the_service(locked)
    assert {"django", "pyjwt", "opentelemetry-sdk", "cryptography"} <= installed
    assert name in locked
    assert name not in installed


@pytest.mark.ledger("ASVS-15.2.4")
def test_lock_has_a_hash_for_every_file_of_every_package(locked: dict[str, dict[str, Any]]) -> None:
    others = [package for package in locked.values() if package["source"] != {"editable": "."}]
    assert len(others) == len(locked) - 1
    assert {package["source"].get("registry") for package in others} == {"https://pypi.org/simple"}
    for package in others:
        files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        assert files, package["name"]
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"]) for file in files), package["name"]


def test_makefile_installs_the_frozen_lock_only() -> None:
    installs = [line for line in LOCK.with_name("Makefile").read_text().splitlines() if "uv sync" in line]
    assert installs
    assert all(line.count("uv sync") == line.count("uv sync --frozen") for line in installs)
