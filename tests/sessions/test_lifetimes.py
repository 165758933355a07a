"""Lifetimes of tokens and sessions: each ends at its exact expiry, which is not part of the lifetime."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.sessions.models import Session
from tests.people import Person
from tests.problems import assert_problem

MICROSECOND = timedelta(microseconds=1)
START_TIMES = pytest.mark.parametrize("fraction", [timedelta(0), timedelta(microseconds=123_456)])


@pytest.mark.ledger("H-TIME-01", "RFC9700-4.14-6", "ASVS-7.3.1", "NIST-5.2-2", "REG-AUTHENTIK-03")
@START_TIMES
def test_idle_refresh_token_expires_after_30_days(
    clock: time_machine.Traveller, alice: Person, fraction: timedelta
) -> None:
    clock.shift(fraction)
    alice.login()
    clock.shift(timedelta(days=30) - MICROSECOND)
    alice.refresh()
    clock.shift(timedelta(days=30))
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")


@pytest.mark.ledger("H-TIME-01", "CS-JWT-4")
def test_access_token_expires_after_30_seconds(clock: time_machine.Traveller, alice: Person) -> None:
    clock.shift(timedelta(seconds=30) - MICROSECOND)
    assert alice.me().status_code == 200
    clock.shift(MICROSECOND)
    assert_problem(alice.me(), 401, "invalid_token")
    assert alice.refresh().me().status_code == 200


@pytest.mark.ledger("NIST-5.2-2")
def test_refresh_restarts_both_token_lifetimes(clock: time_machine.Traveller, alice: Person) -> None:
    for _ in range(5):
        clock.shift(timedelta(days=29))
        alice.refresh()
        assert alice.me().status_code == 200
    session = Session.objects.get()
    assert session.rotated_at - session.created_at == timedelta(days=145)
    assert session.expires_at - session.rotated_at == timedelta(days=30)


@pytest.mark.ledger("ASVS-7.3.2", "ASVS-10.4.8", "NIST-5.2-2")
@START_TIMES
def test_refresh_cannot_exceed_the_session_lifetime_cap(
    clock: time_machine.Traveller, http: httpx.Client, set_policy: Callable[..., None], fraction: timedelta
) -> None:
    set_policy(session_lifetime_cap=timedelta(days=40), access_token_lifetime=timedelta(hours=1))
    clock.shift(fraction)
    alice = Person(http, "alice@example.com").register().login()
    clock.shift(timedelta(days=20))
    alice.refresh()
    session = Session.objects.get()
    assert abs(session.expires_at - session.created_at - timedelta(days=40)) < timedelta(milliseconds=1)
    clock.shift(timedelta(days=20, milliseconds=-2))
    assert alice.refresh().me().status_code == 200
    clock.shift(timedelta(milliseconds=2))
    assert_problem(alice.me(), 401, "invalid_token")
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")


def test_session_lifetime_cap_below_the_refresh_lifetime_applies_from_login(
    clock: time_machine.Traveller, alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(session_lifetime_cap=timedelta(minutes=10))
    alice.login()
    clock.shift(timedelta(minutes=10) - MICROSECOND)
    alice.refresh()
    clock.shift(MICROSECOND)
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")


def test_lowered_session_lifetime_cap_ends_older_sessions(
    clock: time_machine.Traveller, alice: Person, set_policy: Callable[..., None]
) -> None:
    clock.shift(timedelta(days=2))
    bob = Person(alice.http, "bob@example.com").register().login()
    set_policy(session_lifetime_cap=timedelta(days=1))
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
    assert bob.try_refresh().status_code == 200


def test_refresh_retry_past_the_session_lifetime_cap_is_refused(
    clock: time_machine.Traveller, alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(session_lifetime_cap=timedelta(minutes=10))
    alice.login()
    clock.shift(timedelta(minutes=10, seconds=-3))
    parent = alice.refresh_token
    alice.refresh()
    assert alice.try_refresh(parent).status_code == 200
    clock.shift(timedelta(seconds=3))
    assert_problem(alice.try_refresh(parent), 401, "invalid_refresh_token")


@pytest.mark.ledger("H-TIME-05")
def test_changed_access_token_lifetime_does_not_affect_issued_tokens(
    clock: time_machine.Traveller, alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(access_token_lifetime=timedelta(seconds=5))
    younger = Person(alice.http, alice.email).login()
    clock.shift(timedelta(seconds=5))
    assert alice.me().status_code == 200
    assert_problem(younger.me(), 401, "invalid_token")


@pytest.mark.ledger("H-TIME-03")
def test_clock_set_back_by_30_seconds_signs_no_user_out(clock: time_machine.Traveller, alice: Person) -> None:
    clock.shift(timedelta(seconds=-30))
    assert alice.me().status_code == 200
    assert alice.refresh().me().status_code == 200
    alice.login()
    clock.shift(timedelta(seconds=-31))
    assert_problem(alice.me(), 401, "invalid_token")


def test_refresh_of_an_expired_session_takes_two_statements_and_keeps_the_row(
    clock: time_machine.Traveller, alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    clock.shift(timedelta(days=30))
    assert len(statements(alice.try_refresh)) == 2
    assert Session.objects.count() == 1
