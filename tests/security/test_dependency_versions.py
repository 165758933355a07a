"""Locked dependencies are at or above the releases that fixed their known vulnerabilities."""

import tomllib
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
def test_pyjwt_is_the_only_locked_jwt_library() -> None:
    assert "pyjwt" in LOCKED
    assert not {"python-jose", "authlib", "jwcrypto", "jose", "djangorestframework-simplejwt"} & set(LOCKED)
