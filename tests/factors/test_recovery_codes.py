"""Recovery codes: random, stored as digests that belong to one user, and used once each."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings as shipped
from django.db import connection, transaction
from django.test import override_settings

from latchkey.accounts.models import User
from latchkey.core.typed_codes import ALPHABET
from latchkey.factors import recovery_codes
from latchkey.factors.models import RecoveryCode
from tests.security.test_leaked_database import every_value, written_forms

NEW_KEY = "the-secret-key-that-the-operator-has-just-made-0123456789-abcdefghij"


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("alice@example.com")


@pytest.fixture
def codes(user: User) -> list[str]:
    return recovery_codes.renew(user.pk)


@pytest.mark.ledger("NIST-3.1.2")
def test_set_has_ten_different_codes_of_fifty_random_bits_in_two_groups(user: User, codes: list[str]) -> None:
    assert len(set(codes)) == recovery_codes.count(user.pk) == 10
    for code in codes:
        groups = code.split("-")
        assert [len(group) for group in groups] == [5, 5]
        assert set("".join(groups)) <= set(ALPHABET)
    more = {code for _ in range(20) for code in recovery_codes.renew(user.pk)}
    assert len(more) == 200
    assert {character for code in more for character in code} == {*ALPHABET, "-"}


@pytest.mark.ledger("NIST-3.1.2", "ASVS-6.5.1")
def test_each_code_works_once_and_says_how_many_are_left(user: User, codes: list[str]) -> None:
    for left, code in zip(range(9, -1, -1), codes, strict=True):
        assert recovery_codes.use_code(user.pk, code) == left
        assert recovery_codes.use_code(user.pk, code) is None
    assert recovery_codes.count(user.pk) == 0


SPELLINGS: dict[str, Callable[[str], str]] = {
    "in small letters": str.lower,
    "without the hyphen": lambda code: code.replace("-", ""),
    "with spaces": " ".join,
    "with O for 0, I for 1 and l for 1": lambda code: code.replace("0", "O").replace("1", "l"),
    "with I for 1": lambda code: code.replace("1", "I").replace("0", "o"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_code_works_however_it_is_typed(user: User, spelling: str) -> None:
    for code in recovery_codes.renew(user.pk):
        assert recovery_codes.use_code(user.pk, SPELLINGS[spelling](code)) is not None


def test_no_other_text_is_a_code(user: User, codes: list[str]) -> None:
    code = codes[0]
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in code.replace("-", ""))
    for text in (
        "",
        "-",
        code[:-1],
        f"{code}0",
        f"{code}\0",
        f"{code}\n",
        code.replace("-", "_"),
        full_width,
        "U" * 10,
    ):
        assert recovery_codes.use_code(user.pk, text) is None
    assert recovery_codes.use_code(user.pk, "".join(codes) * 1000) is None
    assert recovery_codes.count(user.pk) == 10


def test_code_belongs_to_one_user(user: User, codes: list[str]) -> None:
    bob = User.objects.create_user("bob@example.com")
    recovery_codes.renew(bob.pk)
    assert recovery_codes.use_code(bob.pk, codes[0]) is None
    moved = RecoveryCode.objects.filter(user=user).update(user=bob)
    assert (moved, recovery_codes.count(bob.pk)) == (10, 20)
    assert [recovery_codes.use_code(bob.pk, code) for code in codes] == [None] * 10, "the digest binds the user"


def test_new_set_replaces_the_old_one(user: User, codes: list[str]) -> None:
    bob = User.objects.create_user("bob@example.com")
    of_bob = recovery_codes.renew(bob.pk)
    again = recovery_codes.renew(user.pk)
    assert not set(codes) & set(again)
    assert [recovery_codes.use_code(user.pk, code) for code in codes] == [None] * 10
    assert recovery_codes.use_code(user.pk, again[0]) == 9
    recovery_codes.remove_all(user.pk)
    assert recovery_codes.use_code(user.pk, again[1]) is None
    assert recovery_codes.use_code(bob.pk, of_bob[0]) == 9


def test_codes_are_valid_while_the_secret_key_is_a_fallback(user: User, codes: list[str]) -> None:
    old = shipped.SECRET_KEY
    with override_settings(SECRET_KEY=NEW_KEY, SECRET_KEY_FALLBACKS=[old]):
        assert recovery_codes.use_code(user.pk, codes[0]) == 9
    with override_settings(SECRET_KEY=NEW_KEY):
        assert recovery_codes.use_code(user.pk, codes[1]) is None
    assert recovery_codes.use_code(user.pk, codes[1]) == 8


def test_code_that_is_rolled_back_with_what_it_allows_is_not_used_gladys_199(user: User, codes: list[str]) -> None:
    with transaction.atomic():
        assert recovery_codes.use_code(user.pk, codes[0]) == 9
        transaction.set_rollback(True)
    assert recovery_codes.use_code(user.pk, codes[0]) == 9


@pytest.mark.ledger("ASVS-6.5.2")
def test_no_column_contains_a_recovery_code(user: User, codes: list[str]) -> None:
    stored = written_forms(every_value())
    assert user.email in stored
    for code in codes:
        first, second = code.lower().split("-")
        assert f"{first}{second}" not in stored


@pytest.mark.django_db(transaction=True)
@pytest.mark.ledger("REG-ALLAUTH-15", "ASVS-6.5.1")
def test_fifty_parallel_uses_of_one_recovery_code_succeed_once_keycloak_26106() -> None:
    user = User.objects.create_user("alice@example.com")
    with transaction.atomic():
        code = recovery_codes.renew(user.pk)[0]

    def use(_: int) -> int | None:
        try:
            with transaction.atomic():
                return recovery_codes.use_code(user.pk, code)
        finally:
            connection.close()

    with ThreadPoolExecutor(25) as pool:
        results = list(pool.map(use, range(50)))
    assert [left for left in results if left is not None] == [9]


@pytest.mark.django_db(transaction=True)
def test_parallel_renewals_leave_one_set() -> None:
    user = User.objects.create_user("alice@example.com")

    def renew(_: int) -> list[str]:
        try:
            with transaction.atomic():
                return recovery_codes.renew(user.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        sets = list(pool.map(renew, range(10)))
    assert recovery_codes.count(user.pk) == 10
    with transaction.atomic():
        valid = [codes for codes in sets if recovery_codes.use_code(user.pk, codes[0]) is not None]
        assert len(valid) == 1
        assert recovery_codes.use_code(user.pk, valid[0][1]) == 8


def test_budget_of_a_recovery_code_is_a_lock_a_delete_and_a_count(
    user: User, codes: list[str], statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    assert [sql.split()[0] for sql in statements(lambda: recovery_codes.use_code(user.pk, codes[0]))] == [
        "SELECT",
        "DELETE",
        "SELECT",
    ]
    assert statements(lambda: recovery_codes.use_code(user.pk, "wrong")) == []
