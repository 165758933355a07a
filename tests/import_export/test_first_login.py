"""Who was brought along with a hash signs in with it once; a wrong guess never costs less than at nobody's account."""

from collections.abc import Callable
from typing import Any

import pytest

from latchkey.accounts.models import User
from latchkey.hashing.argon2 import MEMORY_KIB, verify_hardened
from latchkey.import_export.password_hashes import to_django_encoding
from tests.import_export.legacy_hashes import HASH_FORMATS, crypt_bcrypt, hash_in_format
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem
from tests.support.admin_pages import Browser, user_page
from tests.support.hashing_cost import FULL_COST, measure_hashing


def store_imported_hash(person: Person, text: str) -> str:
    """Give somebody the hash that they had elsewhere; return it as it is stored."""
    User.objects.filter(pk=person.id).update(password=to_django_encoding(text))
    return to_django_encoding(text)


@pytest.mark.ledger("CS-PW-3", "ASVS-11.2.2")
@pytest.mark.parametrize("kind", HASH_FORMATS)
def test_a_hash_that_was_brought_along_opens_once_and_becomes_ours(
    alice: Person, user_row: Callable[[Person], Any], kind: str
) -> None:
    stored = store_imported_hash(alice, hash_in_format(kind))
    before = alice.refresh_token
    assert_problem(try_login(alice.http, alice.email, PASSWORD.upper()), 401, "invalid_credentials")
    assert user_row(alice).password == stored
    alice.login()
    assert user_row(alice).password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert user_row(alice).credential_version == 0
    assert alice.try_refresh(before).status_code == alice.try_refresh().status_code == 200
    assert alice.login().me().status_code == 200


@pytest.mark.ledger("ASVS-6.3.8", "CS-AUTH-3")
@pytest.mark.parametrize("kind", [kind for kind in HASH_FORMATS if "Argon2" not in kind])
def test_a_wrong_guess_makes_up_for_what_the_hash_has_saved(alice: Person, kind: str) -> None:
    """The counted clock sees nothing of what other kinds compute: all of ours is missing to them."""
    store_imported_hash(alice, hash_in_format(kind))
    with measure_hashing() as argon2:
        try_login(alice.http, alice.email, PASSWORD.upper())
        assert argon2.cost == FULL_COST
        try_login(alice.http, alice.email, PASSWORD)
        assert argon2.cost == 2 * FULL_COST  # of which the second is for the hash that replaces it


@pytest.mark.parametrize("share", [0, 0.25, 0.5, 0.9, 1, 3])
def test_a_wrong_guess_costs_the_rest_of_ours_and_no_more(share: float) -> None:
    with measure_hashing() as argon2:

        def compare(answer: bool) -> bool:
            argon2.compute(2, int(MEMORY_KIB * share))
            return answer

        assert not verify_hardened(lambda: compare(False))
        assert abs(argon2.cost - FULL_COST * max(1, share)) <= 2  # whole KiB, two passes
        before = argon2.cost
        assert verify_hardened(lambda: compare(True))
        assert argon2.cost == before + 2 * int(MEMORY_KIB * share)


@pytest.mark.parametrize("pace", [0.4, 0.8, 1.1])
def test_what_little_memory_costs_less_is_computed_besides(pace: float) -> None:
    with measure_hashing() as argon2:
        argon2.pace = pace
        assert not verify_hardened(lambda: False)
        assert 0.99 * FULL_COST <= argon2.microseconds <= max(1, pace) * FULL_COST


def test_the_first_wrong_guess_of_a_process_finds_out_what_ours_cost() -> None:
    with measure_hashing() as argon2:
        argon2.recent_durations.clear()
        assert not verify_hardened(lambda: False)
        assert argon2.cost == FULL_COST
        assert not verify_hardened(lambda: False)
        assert argon2.cost == 2 * FULL_COST


def test_a_guess_at_a_dear_hash_has_no_more_work_than_its_own(alice: Person) -> None:
    store_imported_hash(alice, crypt_bcrypt(10))
    with measure_hashing(is_clock=False) as argon2:
        try_login(alice.http, alice.email, PASSWORD.upper())
    assert argon2.cost == 0


@pytest.mark.parametrize("kind", HASH_FORMATS)
def test_the_page_of_a_user_who_was_brought_along_shows_no_hash(admin: Browser, alice: Person, kind: str) -> None:
    stored = store_imported_hash(alice, hash_in_format(kind))
    page = admin.get(user_page(alice.id))
    assert page.status_code == 200
    assert stored.rpartition("$")[2] not in page.text
    assert stored not in page.text
