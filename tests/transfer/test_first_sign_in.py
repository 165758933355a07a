"""Who was brought along with a hash signs in with it once; a wrong guess never costs less than at nobody's account."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import get_hasher

from latchkey.accounts.argon2id import WORK
from latchkey.accounts.models import User
from latchkey.transfer.hashes import encoded
from tests.admin.conftest import admin
from tests.admin.pages import Browser, user_page
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem
from tests.promises.work import counted
from tests.transfer.foreign import KINDS, crypt_bcrypt, made, passlib_pbkdf2, phc_scrypt

__all__ = ["admin"]


def bring_along(person: Person, text: str) -> str:
    """Give somebody the hash that they had elsewhere; return it as it is stored."""
    User.objects.filter(pk=person.id).update(password=encoded(text))
    return encoded(text)


@pytest.mark.ledger("CS-PW-3", "ASVS-11.2.2")
@pytest.mark.parametrize("kind", KINDS)
def test_a_hash_that_was_brought_along_opens_once_and_becomes_ours(
    alice: Person, row_of: Callable[[Person], Any], kind: str
) -> None:
    stored = bring_along(alice, made(kind))
    before = alice.refresh_token
    assert_problem(try_login(alice.http, alice.email, PASSWORD.upper()), 401, "invalid_credentials")
    assert row_of(alice).password == stored
    alice.login()
    assert row_of(alice).password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert row_of(alice).credential_version == 0
    assert alice.try_refresh(before).status_code == alice.try_refresh().status_code == 200
    assert alice.login().me().status_code == 200


@pytest.mark.ledger("ASVS-6.3.8", "CS-AUTH-3")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if "Argon2" not in kind])
def test_a_wrong_guess_makes_up_for_what_the_hash_has_saved(alice: Person, kind: str) -> None:
    stored = bring_along(alice, made(kind))
    hasher: Any = get_hasher(stored.partition("$")[0])
    missing = max(0, WORK - hasher.work(stored))
    with counted() as argon2:
        try_login(alice.http, alice.email, PASSWORD.upper())
    assert abs(argon2.work - missing) <= 8  # whole KiB and whole passes


@pytest.mark.parametrize(
    "text",
    [
        crypt_bcrypt(4),
        passlib_pbkdf2("sha256", 1_000),
        passlib_pbkdf2("sha512", 1_000),
        phc_scrypt(10, 8, 1),
    ],
    ids=["bcrypt", "PBKDF2 with SHA-256", "PBKDF2 with SHA-512", "scrypt"],
)
def test_a_wrong_guess_at_a_hash_that_is_next_to_nothing_costs_nearly_all_of_ours(alice: Person, text: str) -> None:
    bring_along(alice, text)
    with counted() as argon2:
        try_login(alice.http, alice.email, PASSWORD.upper())
    assert 0.9 * WORK < argon2.work < WORK


def test_a_guess_at_a_dear_hash_has_no_more_work_than_its_own(alice: Person) -> None:
    bring_along(alice, crypt_bcrypt(10))
    with counted() as argon2:
        try_login(alice.http, alice.email, PASSWORD.upper())
    assert argon2.work == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_of_a_user_who_was_brought_along_shows_no_hash(admin: Browser, alice: Person, kind: str) -> None:
    stored = bring_along(alice, made(kind))
    page = admin.get(user_page(alice.id))
    assert page.status_code == 200
    assert stored.rpartition("$")[2] not in page.text
    assert stored not in page.text
