"""Race conditions: a change between the look-up of a token, code or password and its use decides the outcome."""

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
REFUND_SQL = "INSERT INTO latchkey_attempt AS a (account, address, failures, last_at, blocked_until)\nVALUES"


@contextmanager
def run_before_statement(statement: str, act: Callable[[], Any]) -> Iterator[None]:
    """Call act once, right before a statement that starts with this text; assert that there was one."""
    intercepted: list[str] = []

    def wrapper(execute: Any, sql: str, *more: Any) -> Any:
        if sql.strip().startswith(statement) and not intercepted:
            intercepted.append(sql)
            act()
        return execute(sql, *more)

    with connection.execute_wrapper(wrapper):
        yield
    assert intercepted


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
def test_token_that_becomes_invalid_before_it_is_consumed_is_rejected(
    alice: Person, kind: str, change: Callable[[int], Any]
) -> None:
    request_body = {"token": mails_of_each_kind(alice)[kind].token} | (
        {"new_password": NEW} if kind == "password_reset" else {}
    )
    before = columns(alice)
    with run_before_statement(CONSUME_SQL, lambda: change(alice.id)):
        assert_problem(alice.http.post(ENDPOINTS[kind], json=request_body), 400, "invalid_code", ["body"])
    assert columns(alice) == before


def test_verify_does_not_verify_an_email_address_that_changes_concurrently(alice: Person) -> None:
    request_body = {"token": mails_of_each_kind(alice)["email_verification"].token}
    alices_row = User.objects.filter(pk=alice.id)
    with run_before_statement(VERIFY_SQL, lambda: alices_row.update(email="elsewhere@example.com")):
        assert_problem(
            alice.http.post(ENDPOINTS["email_verification"], json=request_body), 400, "invalid_code", ["body"]
        )
    assert columns(alice)[2] is None


@pytest.mark.parametrize("column", [{"credential_version": 9}, {"is_active": False}])
def test_password_change_of_a_user_who_is_signed_out_concurrently_changes_nothing(
    alice: Person, column: dict[str, Any]
) -> None:
    before = columns(alice)
    body = {"current_password": PASSWORD, "new_password": NEW}
    with run_before_statement(REFUND_SQL, lambda: User.objects.filter(pk=alice.id).update(**column)):
        answer = alice.http.post("/api/password/change/", json=body, headers=alice.bearer())
    assert_problem(answer, 401, "invalid_token")
    assert columns(alice) == before
    assert Attempt.objects.exists()
