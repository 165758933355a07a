"""What the workers count is added up hour by hour in the database: once, whole, and for a year."""

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from django.db import OperationalError, connection

from latchkey.metrics_server.hourly_totals import INTERVAL, LIVE_SESSIONS, HourlyFlusher, current_hour
from latchkey.metrics_server.live_sessions import clear_cache
from latchkey.metrics_server.models import HourlyCount
from tests.people import Person
from tests.server import Server


def hourly_sums(*names: str) -> list[int]:
    """Return the sums over all hours."""
    return [sum(HourlyCount.objects.filter(name=name).values_list("count", flat=True)) for name in names]


def test_what_is_counted_is_told_once_and_in_one_statement(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    tallies = HourlyFlusher()
    tallies.flush()
    alice.login().login().refresh()
    sent = statements(tallies.flush)
    assert [sql.split()[0] for sql in sent] == ["INSERT"]
    assert hourly_sums("login.succeeded", "session.refreshed", "login.failed") == [2, 1, 0]
    assert statements(tallies.flush) == []
    alice.login()
    tallies.flush()
    assert hourly_sums("login.succeeded") == [3]


def test_workers_add_to_the_same_numbers(alice: Person) -> None:
    both = HourlyFlusher(), HourlyFlusher()
    alice.login()
    for tallies in both:
        tallies.flush()
    assert hourly_sums("login.succeeded") == [2]


def test_each_hour_has_numbers_of_its_own(clock: time_machine.Traveller, alice: Person) -> None:
    tallies = HourlyFlusher()
    for _ in range(2):
        alice.login()
        tallies.flush()
        clock.shift(timedelta(hours=1))
    assert list(HourlyCount.objects.filter(name="login.succeeded").order_by("hour").values_list("hour", "count")) == [
        (current_hour() - 2, 1),
        (current_hour() - 1, 1),
    ]


def test_what_could_not_be_told_is_told_later(alice: Person) -> None:
    tallies = HourlyFlusher()
    alice.login()

    def away(*args: Any) -> Any:
        raise OperationalError

    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        tallies.flush()
    alice.login()
    tallies.flush()
    assert hourly_sums("login.succeeded") == [2]


def test_live_sessions_are_sampled_once_an_hour_whoever_asks(
    clock: time_machine.Traveller, alice: Person, bob: Person
) -> None:
    first, second = HourlyFlusher(), HourlyFlusher()
    clear_cache()
    first.flush()
    bob.logout()
    clear_cache()
    for tallies in (first, second):
        tallies.flush()
    assert list(HourlyCount.objects.filter(name=LIVE_SESSIONS).values_list("count", flat=True)) == [2]
    clock.shift(timedelta(hours=1))
    second.flush()
    assert list(HourlyCount.objects.filter(name=LIVE_SESSIONS).order_by("hour").values_list("count", flat=True)) == [
        2,
        1,
    ]


@pytest.mark.ledger("ASVS-14.2.7")
def test_tallies_are_kept_as_long_as_events(
    clock: time_machine.Traveller, alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(event_retention=timedelta(days=30))
    tallies = HourlyFlusher()
    tallies.flush()
    oldest = current_hour()
    clock.shift(timedelta(days=30))
    tallies.flush()
    assert HourlyCount.objects.filter(hour=oldest).exists()
    clock.shift(timedelta(hours=1))
    tallies.flush()
    assert not HourlyCount.objects.filter(hour=oldest).exists()


def test_workers_of_a_server_tell_what_they_count_and_a_dead_ones_successor_tells_nothing_twice(server: Server) -> None:
    def expect(logins: int) -> None:
        read = f"from latchkey.metrics_server.models import Tally\n{SUM}"
        deadline = time.monotonic() + 3 * INTERVAL
        while (found := server.shell(read)) != str(logins):
            assert time.monotonic() < deadline, found
            time.sleep(1)

    with httpx.Client(base_url=server.url, timeout=20) as http:
        alice = Person(http, "alice@example.com").register()
        for _ in range(6):
            alice.login()
        expect(6)
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        wait = time.monotonic() + 20
        while len(server.worker_pids()) < 2 and time.monotonic() < wait:
            time.sleep(0.1)
    with httpx.Client(base_url=server.url, timeout=20) as http:
        Person(http, alice.email).login()
        expect(7)


SUM = "print(sum(Tally.objects.filter(name='login.succeeded').values_list('count', flat=True)))"
