"""Imported hashes of passwords that were not normalized: compared as sent, then in NFC, and replaced by NFC."""

import unicodedata
from collections.abc import Callable
from typing import Any, Literal

import argon2
import bcrypt
import pytest
from django.contrib.auth import hashers

from latchkey.accounts.models import User
from latchkey.hashing.legacy import is_imported
from latchkey.import_export.password_hashes import to_django_encoding
from tests.import_export.legacy_hashes import (
    SALT,
    crypt_bcrypt,
    django_hash,
    passlib_pbkdf2,
    phc_pbkdf2,
    phc_scrypt,
)
from tests.people import Person, try_login
from tests.problems import assert_problem
from tests.support.hashing_cost import FULL_COST, measure_hashing

pytestmark = pytest.mark.hashing

Form = Literal["NFC", "NFD"]
PASSWORD = "Zoë isst Käse am Fluß"
NFC, NFD = unicodedata.normalize("NFC", PASSWORD), unicodedata.normalize("NFD", PASSWORD)
SPELLINGS: dict[str, str] = {"NFC": NFC, "NFD": NFD}


def phc_argon2(password: str, memory: int, passes: int, lanes: int) -> str:
    kind = argon2.Type.ID
    return argon2.low_level.hash_secret(password.encode(), SALT, passes, memory, lanes, 32, kind).decode()


FORMATS: dict[str, Callable[[str], str]] = {
    "bcrypt": lambda password: crypt_bcrypt(4, password=password),
    "bcrypt, 2y": lambda password: crypt_bcrypt(4, "y", password=password),
    "Django, bcrypt of SHA-256": lambda password: hashers.BCryptSHA256PasswordHasher().encode(
        password,
        bcrypt.gensalt(4),  # type: ignore[arg-type]  # bytes: bcrypt's own salt
    ),
    "Django, PBKDF2": lambda password: django_hash(hashers.PBKDF2PasswordHasher(), 1_000, password=password),
    "Django, PBKDF2 with SHA-1": lambda password: django_hash(
        hashers.PBKDF2SHA1PasswordHasher(), 1_000, password=password
    ),
    "Django, scrypt": lambda password: django_hash(hashers.ScryptPasswordHasher(), 2**10, 8, 1, password=password),
    "Django, Argon2": lambda password: hashers.Argon2PasswordHasher().encode(password, "asaltofthepast"),
    "passlib, PBKDF2": lambda password: passlib_pbkdf2("sha512", 1_000, password=password),
    "Keycloak, PBKDF2": lambda password: phc_pbkdf2("sha256", 1_000, 64, password=password),
    "scrypt": lambda password: phc_scrypt(10, 8, 1, password=password),
    "Argon2id of another cost": lambda password: phc_argon2(password, 4_096, 3, 1),
    "Argon2id of our cost": lambda password: phc_argon2(password, 19_456, 2, 1),
    "Argon2id with lanes": lambda password: phc_argon2(password, 4_096, 3, 4),
}
CHEAP = [kind for kind in FORMATS if "Argon2" not in kind]


def store_hash(person: Person, text: str) -> None:
    User.objects.filter(pk=person.id).update(password=to_django_encoding(text))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(("hashed", "sent"), [("NFD", "NFD"), ("NFC", "NFC"), ("NFC", "NFD")])
def test_imported_hash_signs_in_and_is_replaced_by_that_of_the_nfc_form(
    alice: Person, user_row: Callable[[Person], Any], kind: str, hashed: Form, sent: Form
) -> None:
    store_hash(alice, FORMATS[kind](SPELLINGS[hashed]))
    assert try_login(alice.http, password=SPELLINGS[sent]).status_code == 200
    stored = user_row(alice).password
    assert stored.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert hashers.check_password(NFC, stored)
    assert not hashers.check_password(NFD, stored)
    for spelling in SPELLINGS.values():
        assert try_login(alice.http, password=spelling).status_code == 200
    assert user_row(alice).credential_version == 0


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("hashed", ["NFC", "NFD"])
def test_wrong_password_of_an_imported_hash_is_refused_in_both_forms(alice: Person, kind: str, hashed: Form) -> None:
    store_hash(alice, FORMATS[kind](SPELLINGS[hashed]))
    for spelling in (f"{NFC}!", f"{NFD}!", NFD.upper(), "Zoe isst Kase am Fluss"):
        assert_problem(try_login(alice.http, password=spelling), 401, "invalid_credentials")


@pytest.mark.ledger("ASVS-6.3.8", "CS-AUTH-3")
@pytest.mark.parametrize("kind", CHEAP)
@pytest.mark.parametrize("sent", [f"{NFC}!", f"{NFD}!"])
def test_wrong_password_takes_one_default_hash_for_a_cheap_imported_hash_in_either_form(
    alice: Person, kind: str, sent: str
) -> None:
    store_hash(alice, FORMATS[kind](NFD))
    with measure_hashing() as counted:
        try_login(alice.http, password=sent)
        assert counted.cost == FULL_COST
        try_login(alice.http, "nobody@example.com", sent)
        assert counted.cost == 2 * FULL_COST


@pytest.mark.ledger("ASVS-6.3.8", "CS-AUTH-3")
@pytest.mark.parametrize("sent", [f"{NFC}!", f"{NFD}!"])
def test_wrong_password_takes_one_hash_for_an_account_of_ours_in_either_form(alice: Person, sent: str) -> None:
    with measure_hashing() as counted:
        try_login(alice.http, password=sent)
        assert counted.cost == FULL_COST
        try_login(alice.http, "nobody@example.com", sent)
        assert counted.cost == 2 * FULL_COST


def test_hashes_of_ours_are_never_taken_for_imported_ones(alice: Person) -> None:
    user = User.objects.get(pk=alice.id)
    assert not is_imported(user.password)
    for _ in range(20):
        user.set_password(PASSWORD)
        assert not is_imported(user.password)
    user.set_unusable_password()
    assert not is_imported(user.password)
    for damaged in ("", "!", "argon2$", "nothing$x", "md5$x$y"):
        assert is_imported(damaged) == (damaged == "argon2$")
        User.objects.filter(pk=user.pk).update(password=damaged)
        assert_problem(try_login(alice.http, password=NFD), 401, "invalid_credentials")


def test_password_asked_for_again_is_compared_as_sent_too(alice: Person) -> None:
    store_hash(alice, FORMATS["bcrypt"](NFD))
    body = {"current_password": NFD, "new_password": "seven purple trains to the sea"}
    assert alice.http.post("/api/password/change/", json=body, headers=alice.bearer()).status_code == 200
