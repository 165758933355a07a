"""First login with an imported hash.

The hash is replaced by Argon2id, and a wrong password never costs less than for an unknown user.
"""

from collections.abc import Callable
from typing import Any

import pytest

from latchkey.accounts.models import User
from latchkey.hashing.argon2 import MEMORY_KIB, recent_durations, verify_hardened
from latchkey.import_export.password_hashes import to_django_encoding
from tests.import_export.legacy_hashes import HASH_FORMATS, crypt_bcrypt, hash_in_format
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem
from tests.support.admin_pages import Browser, user_page
from tests.support.hashing_cost import FULL_COST, measure_hashing

pytestmark = pytest.mark.hashing


def store_imported_hash(person: Person, text: str) -> str:
    """Give a user an imported hash; return it as it is stored."""
    User.objects.filter(pk=person.id).update(password=to_django_encoding(text))
    return to_django_encoding(text)


@pytest.mark.slow
@pytest.mark.ledger("CS-PW-3", "ASVS-11.2.2")
@pytest.mark.parametrize("kind", HASH_FORMATS)
def test_first_login_with_an_imported_hash_replaces_it_by_argon2id(
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
def test_login_with_a_wrong_password_adds_the_missing_work_of_an_imported_hash(alice: Person, kind: str) -> None:
    """The counted clock does not see the work of other formats, so that a whole Argon2id hash is missing."""
    store_imported_hash(alice, hash_in_format(kind))
    with measure_hashing() as argon2:
        try_login(alice.http, alice.email, PASSWORD.upper())
        assert argon2.cost == FULL_COST
        try_login(alice.http, alice.email, PASSWORD)
        assert argon2.cost == 2 * FULL_COST  # of which the second is for the hash that replaces it


@pytest.mark.parametrize("share", [0, 0.25, 0.5, 0.9, 1, 3])
def test_verify_hardened_adds_work_up_to_one_default_hash_after_a_failure(share: float) -> None:
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
def test_verify_hardened_adds_work_where_little_memory_is_faster(pace: float) -> None:
    with measure_hashing() as argon2:
        argon2.pace = pace
        assert not verify_hardened(lambda: False)
        assert 0.99 * FULL_COST <= argon2.microseconds <= max(1, pace) * FULL_COST


def test_verify_hardened_measures_the_default_hash_at_the_first_failure() -> None:
    with measure_hashing() as argon2:
        recent_durations.clear()
        assert not verify_hardened(lambda: False)
        assert argon2.cost == FULL_COST
        assert not verify_hardened(lambda: False)
        assert argon2.cost == 2 * FULL_COST


def test_login_with_a_wrong_password_adds_no_work_to_an_expensive_imported_hash(alice: Person) -> None:
    store_imported_hash(alice, crypt_bcrypt(10))
    with measure_hashing(is_clock=False) as argon2:
        try_login(alice.http, alice.email, PASSWORD.upper())
    assert argon2.cost == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", HASH_FORMATS)
def test_admin_page_of_an_imported_user_shows_no_hash(admin: Browser, alice: Person, kind: str) -> None:
    stored = store_imported_hash(alice, hash_in_format(kind))
    page = admin.get(user_page(alice.id))
    assert page.status_code == 200
    assert stored.rpartition("$")[2] not in page.text
    assert stored not in page.text
