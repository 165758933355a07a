"""POST /api/logout/: the end of one session, by its refresh token."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest
from django.db import connection

from latchkey.sessions.models import Session
from tests.people import Person
from tests.problems import assert_problem

UNKNOWN = "2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42"


def assert_signed_out(answer: httpx.Response) -> None:
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text == '{"success": "User logged out."}'


@pytest.mark.ledger("RFC7009-2.1", "RFC7009-2.1-2", "RFC9700-4.14-5", "ASVS-7.4.1", "NIST-5.1-1")
def test_logout_ends_the_session_and_its_access_tokens_at_once(alice: Person) -> None:
    assert alice.me().status_code == 200
    assert_signed_out(alice.logout())
    assert_problem(alice.me(), 401, "invalid_token")
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
    assert not Session.objects.exists()


@pytest.mark.ledger("RFC7009-2.2", "H-ENUM-03")
def test_logout_answers_alike_for_a_live_an_ended_and_an_unknown_token(alice: Person) -> None:
    live, ended, unknown = alice.logout(), alice.logout(), alice.logout(UNKNOWN)
    for answer in (live, ended, unknown):
        assert_signed_out(answer)
        assert answer.headers == live.headers


@pytest.mark.ledger("ASVS-10.6.2")
def test_logout_with_an_unknown_token_ends_nothing(alice: Person) -> None:
    assert_signed_out(alice.logout(UNKNOWN))
    assert alice.me().status_code == alice.try_refresh().status_code == 200


def test_logout_with_a_rotated_token_ends_its_session(alice: Person) -> None:
    rotated = alice.refresh_token
    alice.refresh().refresh()
    assert_signed_out(alice.logout(rotated))
    assert_problem(alice.me(), 401, "invalid_token")
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")


def test_logout_leaves_other_sessions_and_other_users_signed_in(alice: Person, bob: Person) -> None:
    first = alice.refresh_token
    alice.login()
    assert_signed_out(alice.logout(first))
    assert alice.me().status_code == alice.try_refresh().status_code == 200
    assert bob.me().status_code == bob.try_refresh().status_code == 200


def test_logout_ignores_the_access_token_of_another_user(alice: Person, bob: Person) -> None:
    body = {"refresh_token": alice.refresh_token}
    assert_signed_out(bob.http.post("/api/logout/", json=body, headers=bob.bearer()))
    assert alice.me().status_code == 401
    assert bob.me().status_code == 200


def test_logout_takes_one_round_trip(alice: Person, statements: Callable[[Callable[[], Any]], list[str]]) -> None:
    """SQLite, which has no round trips to save, takes a second statement for the event."""
    for token, ends in ((alice.refresh_token, True), (alice.refresh_token, False), (UNKNOWN, False)):
        sent = statements(partial(alice.logout, token))
        assert len(sent) == 1 + (ends and connection.vendor == "sqlite")
        assert "DELETE FROM latchkey_session" in sent[0]
