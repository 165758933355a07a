"""What changes between the look at a link, a code or a password and what it opens: the last look decides."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from latchkey.accounts.models import User
from latchkey.email_codes.models import OneTimeCode
from latchkey.rate_limits.models import Attempt
from tests.email_codes.test_links_and_codes import ENDPOINTS, NEW, mails_of_each_kind
from tests.people import PASSWORD, Person
from tests.problems import assert_problem

CONSUME_SQL, VERIFY_SQL = 'DELETE FROM "latchkey_onetimecode"', 'UPDATE "latchkey_user" SET "email_verified_at"'
REFUND_SQL = "INSERT INTO latchkey_attempt AS a (account, place, failures, last_at, blocked_until)\nVALUES"


@contextmanager
def run_before_statement(statement: str, act: Callable[[], Any]) -> Iterator[None]:
    """Have it happen once, right before the database is told this; and it must be told this."""
    happened: list[str] = []

    def meanwhile(execute: Any, sql: str, *more: Any) -> Any:
        if sql.strip().startswith(statement) and not happened:
            happened.append(sql)
            act()
        return execute(sql, *more)

    with connection.execute_wrapper(meanwhile):
        yield
    assert happened


def columns(alice: Person) -> Any:
    return User.objects.values_list("password", "email", "email_verified_at").get(pk=alice.id)


CONCURRENT_CHANGES: dict[str, Callable[[int], Any]] = {
    "spent": lambda user_id: OneTimeCode.objects.filter(user_id=user_id).delete(),
    "expired": lambda user_id: OneTimeCode.objects.filter(user_id=user_id).update(expires_at=F("created_at")),
    "signed out": lambda user_id: User.objects.filter(pk=user_id).update(credential_version=9),
    "inactive": lambda user_id: User.objects.filter(pk=user_id).update(is_active=False),
}


@pytest.mark.parametrize("kind", ENDPOINTS)
@pytest.mark.parametrize("change", CONCURRENT_CHANGES.values(), ids=CONCURRENT_CHANGES)
def test_what_is_void_by_the_time_it_is_spent_opens_nothing(
    alice: Person, kind: str, change: Callable[[int], Any]
) -> None:
    shown = {"token": mails_of_each_kind(alice)[kind].token} | (
        {"new_password": NEW} if kind == "password_reset" else {}
    )
    before = columns(alice)
    with run_before_statement(CONSUME_SQL, lambda: change(alice.id)):
        assert_problem(alice.http.post(ENDPOINTS[kind], json=shown), 400, "invalid_code", ["body"])
    assert columns(alice) == before


def test_an_address_that_becomes_another_at_the_last_moment_is_not_verified(alice: Person) -> None:
    shown = {"token": mails_of_each_kind(alice)["email_verification"].token}
    moved = User.objects.filter(pk=alice.id)
    with run_before_statement(VERIFY_SQL, lambda: moved.update(email="elsewhere@example.com")):
        assert_problem(alice.http.post(ENDPOINTS["email_verification"], json=shown), 400, "invalid_code", ["body"])
    assert columns(alice)[2] is None


@pytest.mark.parametrize("column", [{"credential_version": 9}, {"is_active": False}])
def test_a_password_that_is_void_by_the_time_it_is_replaced_changes_nothing(
    alice: Person, column: dict[str, Any]
) -> None:
    before = columns(alice)
    body = {"current_password": PASSWORD, "new_password": NEW}
    with run_before_statement(REFUND_SQL, lambda: User.objects.filter(pk=alice.id).update(**column)):
        answer = alice.http.post("/api/password/change/", json=body, headers=alice.bearer())
    assert_problem(answer, 401, "invalid_token")
    assert columns(alice) == before
    assert Attempt.objects.exists()
