"""Outages of the database, as a node remembers them, and the retry window that stands still meanwhile."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from latchkey.db import outages
from latchkey.db.outages import MAX_GAP, MAX_OUTAGE, record_outage, unanswered_time
from tests.people import Person

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def no_outage() -> Iterator[None]:
    outages.clear()
    yield
    outages.clear()


def fail(began: float, ended: float) -> None:
    """Record a statement that was not answered, between two times in seconds after noon."""
    with time_machine.travel(NOON + ended * SECOND, tick=False):
        record_outage(NOON + began * SECOND)


def unanswered(since: float, until: float) -> float:
    return unanswered_time(NOON + since * SECOND, NOON + until * SECOND).total_seconds()


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [(-5, 100, 10), (0, 10, 10), (3, 100, 7), (-5, 4, 4), (3, 4, 1), (10, 100, 0), (-5, 0, 0), (50, 40, 0)],
)
def test_unanswered_time_is_the_part_of_an_outage_between_two_times(
    since: float, until: float, expected: float
) -> None:
    fail(0, 10)
    assert unanswered(since, until) == expected


def test_failures_that_are_close_together_are_one_outage() -> None:
    gap = MAX_GAP.total_seconds()
    for second in (0, gap, 2 * gap, 3 * gap):
        fail(second, second)
    assert unanswered(0, 100) == 3 * gap
    fail(5 * gap, 5 * gap + 1)  # a second one
    assert unanswered(0, 100) == 1


def test_outage_counts_for_a_quarter_of_an_hour_at_most() -> None:
    for second in range(0, 3600, 5):
        fail(second, second)
    assert unanswered(0, 3600) == MAX_OUTAGE.total_seconds()


def test_outages_are_shared_between_processes() -> None:
    fail(0, 10)
    child = os.fork()
    if not child:
        fail(5, 20)  # another worker saw more of the same outage
        os._exit(0)
    os.waitpid(child, 0)
    assert unanswered(0, 100) == 20


def test_retry_without_a_key_is_answered_after_an_outage(clock: time_machine.Traveller, alice: Person) -> None:
    spent, began = alice.refresh_token, datetime.now(UTC)
    alice.refresh()  # committed, but its answer is lost
    clock.shift(30 * SECOND)
    record_outage(began)
    clock.shift(9 * SECOND)
    assert alice.try_refresh(spent).json()["refresh_token"] == alice.refresh_token
    clock.shift(SECOND)
    assert alice.try_refresh(spent).status_code == 401
