"""Locked dependencies are at or above the releases that fixed their known vulnerabilities."""

import tomllib
from itertools import chain
from pathlib import Path

import pytest

LOCK = tomllib.loads((Path(__file__).resolve().parents[2] / "uv.lock").read_text())
LOCKED = {package["name"]: package for package in LOCK["package"]}


def release(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in LOCKED[name]["version"].split(".") if part.isdecimal())


@pytest.mark.ledger("REG-DJANGO-10", "REG-DJANGO-14", "REG-PYJWT-01")
@pytest.mark.parametrize(
    ("name", "floor"),
    [("django", (5, 2, 19)), ("pyjwt", (2, 15, 1)), ("djangorestframework", (3, 17, 2)), ("django-constance", (4, 4))],
)
def test_locked_dependency_is_at_least_its_security_release(name: str, floor: tuple[int, ...]) -> None:
    assert release(name) >= floor


@pytest.mark.ledger("REG-PYTHONJOSE-01")
def test_pyjwt_is_the_only_jwt_library_of_the_service() -> None:
    assert "pyjwt" in shipped_packages()
    others = {"python-jose", "authlib", "joserfc", "jwcrypto", "jose", "djangorestframework-simplejwt"}
    assert not others & shipped_packages()  # authlib is a client in tests/recipes


def shipped_packages() -> set[str]:
    """Return the names of the packages that the service needs, extras included, without the dev group."""
    found, waiting = set(), ["latchkey"]
    while waiting:
        name = waiting.pop()
        package = LOCKED[name]
        needed = [*package.get("dependencies", []), *chain(*package.get("optional-dependencies", {}).values())]
        waiting += [each["name"] for each in needed if each["name"] not in found]
        found.add(name)
    return found
