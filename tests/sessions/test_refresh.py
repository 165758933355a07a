"""POST /api/refresh/: rotation, retry window and refresh token reuse."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine

from latchkey.sessions.models import Session
from tests.people import Person
from tests.problems import assert_problem

SAME = ("user_id", "sub", "sid", "iss", "aud")


def decode_claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def later(**by: float) -> datetime:
    return datetime.now(UTC) + timedelta(**by)


@pytest.mark.ledger("ASVS-15.3.1")
def test_refresh_returns_a_new_token_pair(alice: Person) -> None:
    answer = alice.try_refresh()
    pair = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert answer.text == f'{{"access_token": "{pair["access_token"]}", "refresh_token": "{pair["refresh_token"]}"}}'
    assert pair["refresh_token"] != alice.refresh_token
    assert alice.me(pair["access_token"]).status_code == 200


@pytest.mark.ledger("RFC9700-4.14-4")
def test_refresh_ignores_extra_fields_and_keeps_user_and_session(alice: Person, bob: Person) -> None:
    extras = {"user_id": bob.id, "sub": str(bob.id), "is_staff": True, "scope": "admin", "sid": "1"}
    before = decode_claims(alice.access_token)
    answer = alice.http.post("/api/refresh/", json={"refresh_token": alice.refresh_token, **extras})
    after = decode_claims(answer.json()["access_token"])
    assert before.keys() == after.keys()
    assert [after[name] for name in SAME] == [before[name] for name in SAME]
    assert after["jti"] != before["jti"]


def test_twenty_refreshes_keep_one_session_row_and_never_repeat_a_token(alice: Person) -> None:
    for _ in range(20):
        alice.refresh()
    assert Session.objects.count() == 1
    assert len({*alice.spent, alice.refresh_token}) == 21
    assert alice.me().status_code == 200


@pytest.mark.ledger("REG-SUPABASEAUTH-03")
def test_refresh_returns_the_same_successor_within_the_retry_window(alice: Person) -> None:
    first, second = alice.try_refresh(), alice.try_refresh()
    assert first.json()["refresh_token"] == second.json()["refresh_token"]
    assert alice.me(second.json()["access_token"]).status_code == 200
    assert Session.objects.count() == 1


@pytest.mark.ledger("REG-SUPABASEAUTH-03", "REG-SIMPLEJWT-02")
def test_refresh_token_reuse_after_the_retry_window_ends_the_session(alice: Person) -> None:
    parent = alice.refresh_token
    alice.refresh()
    with time_machine.travel(later(seconds=10), tick=False):
        assert alice.try_refresh(parent).status_code == 401
        assert alice.try_refresh().status_code == 401
    assert not Session.objects.exists()


@pytest.mark.ledger("REG-SUPABASEAUTH-03")
def test_refresh_token_reuse_of_a_grandparent_ends_the_session_within_the_retry_window(alice: Person) -> None:
    grandparent = alice.refresh_token
    alice.refresh().refresh()
    assert alice.try_refresh(grandparent).status_code == 401
    assert alice.try_refresh().status_code == 401


@pytest.mark.ledger("REG-SUPABASEAUTH-03")
def test_retry_window_of_zero_makes_every_retry_refresh_token_reuse(
    alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(retry_window=timedelta(0))
    parent = alice.refresh_token
    alice.refresh()
    assert alice.try_refresh(parent).status_code == 401
    assert alice.try_refresh().status_code == 401


def test_refresh_takes_one_statement(alice: Person, statements: Callable[[Callable[[], Any]], list[str]]) -> None:
    sent = statements(alice.try_refresh)
    assert len(sent) == 1
    assert sent[0].startswith("UPDATE latchkey_session")


def test_refresh_retry_and_refresh_of_an_unknown_token_take_two_statements(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    parent = alice.refresh_token
    alice.refresh()
    assert len(statements(lambda: alice.try_refresh(parent))) == 2
    assert len(statements(lambda: alice.try_refresh("2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42"))) == 2


@pytest.mark.parametrize("wrong", [None, True, 0, 1.5, [], {}, "", "x", "{2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42}"])
def test_refresh_refuses_what_is_not_a_canonical_uuid(alice: Person, wrong: object) -> None:
    answer = alice.http.post("/api/refresh/", json={"refresh_token": wrong})
    assert_problem(answer, 400, "invalid", ["refresh_token"])
    assert alice.try_refresh().status_code == 200
