"""POST /api/revoke/ (RFC 7009)"""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.db import connection

from latchkey.rate_limits.in_memory import MAX_PER_WINDOW
from latchkey.sessions.models import Session
from tests.people import Person
from tests.problems import assert_problem
from tests.support.captured_log import CapturedLog
from tests.support.forged_tokens import forge


def revoke(person: Person, token: str, **more: str) -> httpx.Response:
    return person.http.post("/api/revoke/", data={"token": token, **more})


def assert_revoked(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.text) == (200, '{"success": "Token revoked."}')
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoke_of_either_token_ends_only_its_own_session(alice: Person, bob: Person, kind: str, hint: str) -> None:
    laptop = Person(alice.http, alice.email).login()
    assert_revoked(revoke(alice, getattr(alice, kind), token_type_hint=hint))
    assert_problem(alice.me(), 401, "invalid_token")
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
    for other in (laptop, bob):
        assert other.refresh().me().status_code == 200


@pytest.mark.ledger("RFC7009-2.2")
def test_revoke_answers_alike_for_live_ended_unknown_and_malformed_tokens(alice: Person, bob: Person) -> None:
    foreign = forge(bob, key=b"a key of mallory that is 32 byte")
    asked = [alice.access_token, alice.access_token, alice.refresh_token, str(uuid4()), "x", "x" * 6000, foreign]
    answers = [revoke(alice, token) for token in asked]
    for answer in answers:
        assert_revoked(answer)
        assert answer.headers == answers[0].headers
    assert bob.me().status_code == 200


def test_revoke_of_a_rotated_refresh_token_ends_its_session(alice: Person) -> None:
    rotated = alice.refresh_token
    alice.refresh().refresh()
    assert_revoked(revoke(alice, rotated))
    assert not Session.objects.exists()


def test_revoke_of_an_expired_access_token_ends_no_session(alice: Person) -> None:
    expired = forge(alice, iat=1, exp=2)
    assert_revoked(revoke(alice, expired))
    assert alice.me().status_code == 200


def test_revoke_takes_no_more_statements_than_logout(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    ends = 1 + (connection.vendor == "sqlite")  # on SQLite the event is a separate statement
    for token, count in ((alice.access_token, ends), (alice.access_token, 1), (alice.refresh_token, 1), ("x", 0)):
        assert len(statements(partial(revoke, alice, token))) == count


def test_revoke_refuses_other_methods_than_post(alice: Person) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = alice.http.request(method, f"/api/revoke/?token={alice.access_token}")
        assert_problem(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"] == "POST, OPTIONS"
    assert alice.http.options("/api/revoke/").status_code == 204
    assert alice.me().status_code == 200


@pytest.mark.ledger("RFC7009-5")
def test_revoke_rate_limits_unknown_tokens_but_not_live_ones(alice: Person, bob: Person) -> None:
    statuses = [revoke(alice, str(uuid4())).status_code for _ in range(MAX_PER_WINDOW + 5)]
    assert statuses[0] == 200
    assert_problem(revoke(alice, str(uuid4())), 429, "too_many_attempts")
    for token in (alice.access_token, bob.refresh_token):
        assert_revoked(revoke(alice, token))
    assert not Session.objects.exists()


def test_revoke_logs_session_ended_once_per_session(alice: Person, captured_log: CapturedLog) -> None:
    for token in (alice.access_token, alice.refresh_token, alice.access_token):
        revoke(alice, token)
    (line,) = [line for line in captured_log.lines() if line["event"] == "session.ended"]
    assert (line["reason"], line["user_id"]) == ("revoke", alice.id)
