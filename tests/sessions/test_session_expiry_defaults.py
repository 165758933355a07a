"""The default lifetimes of sessions: idle timeout of 30 days, absolute timeout of 180 days."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tests.people import Person
from tests.problems import assert_problem


@pytest.mark.ledger("REG-ALLAUTH-19", "ASVS-7.3.2", "ASVS-10.4.8")
def test_session_in_use_expires_after_180_days_by_default(clock: time_machine.Traveller, alice: Person) -> None:
    began = datetime.now(UTC)
    for _ in range(6):
        clock.shift(timedelta(days=29))
        alice.refresh()
    clock.shift(timedelta(days=6) - timedelta(seconds=1))
    assert alice.refresh().me().status_code == 200
    clock.shift(timedelta(seconds=1))
    assert datetime.now(UTC) - began == timedelta(days=180)
    assert_problem(alice.me(), 401, "invalid_token")
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")


@pytest.mark.ledger("REG-ALLAUTH-19")
def test_idle_session_expires_after_30_days_by_default(
    clock: time_machine.Traveller, alice: Person, bob: Person
) -> None:
    clock.shift(timedelta(days=30) - timedelta(seconds=1))
    assert bob.try_refresh().status_code == 200
    clock.shift(timedelta(seconds=1))
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
