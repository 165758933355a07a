"""Hourly totals: the counters of all workers are added up by the hour in the database, each count once, and pruned."""

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from django.contrib.sessions.models import Session as AdminSession
from django.db import OperationalError, connection

from latchkey.core.clock import now as clock_now
from latchkey.email_codes.models import OneTimeCode
from latchkey.mail.models import Mail
from latchkey.metrics_server.hourly_totals import INTERVAL, LIVE_SESSIONS, HourlyFlusher, current_hour
from latchkey.metrics_server.live_sessions import clear_cache
from latchkey.metrics_server.models import HourlyCount
from latchkey.rate_limits.models import Attempt
from latchkey.sessions.models import Session
from tests.people import Person
from tests.server import Server
from tests.support.admin_pages import Browser


def hourly_sums(*names: str) -> list[int]:
    """Return the sums over all hours."""
    return [sum(HourlyCount.objects.filter(name=name).values_list("count", flat=True)) for name in names]


def test_hourly_flusher_stores_new_counts_once_and_in_one_statement(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    flusher = HourlyFlusher()
    flusher.flush()
    alice.login().login().refresh()
    sent = statements(flusher.flush)
    assert [sql.split()[0] for sql in sent] == ["INSERT"]
    assert hourly_sums("login.succeeded", "session.refreshed", "login.failed") == [2, 1, 0]
    assert statements(flusher.flush) == []
    alice.login()
    flusher.flush()
    assert hourly_sums("login.succeeded") == [3]


def test_hourly_flushers_of_two_workers_add_to_the_same_rows(alice: Person) -> None:
    both = HourlyFlusher(), HourlyFlusher()
    alice.login()
    for flusher in both:
        flusher.flush()
    assert hourly_sums("login.succeeded") == [2]


def test_hourly_flusher_stores_each_hour_separately(clock: time_machine.Traveller, alice: Person) -> None:
    flusher = HourlyFlusher()
    for _ in range(2):
        alice.login()
        flusher.flush()
        clock.shift(timedelta(hours=1))
    assert list(HourlyCount.objects.filter(name="login.succeeded").order_by("hour").values_list("hour", "count")) == [
        (current_hour() - 2, 1),
        (current_hour() - 1, 1),
    ]


def test_hourly_flusher_stores_counts_later_after_a_database_error(alice: Person) -> None:
    flusher = HourlyFlusher()
    alice.login()

    def away(*args: Any) -> Any:
        raise OperationalError

    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        flusher.flush()
    alice.login()
    flusher.flush()
    assert hourly_sums("login.succeeded") == [2]


def test_hourly_flusher_samples_live_sessions_once_an_hour_over_all_workers(
    clock: time_machine.Traveller, alice: Person, bob: Person
) -> None:
    first, second = HourlyFlusher(), HourlyFlusher()
    clear_cache()
    first.flush()
    bob.logout()
    clear_cache()
    for flusher in (first, second):
        flusher.flush()
    assert list(HourlyCount.objects.filter(name=LIVE_SESSIONS).values_list("count", flat=True)) == [2]
    clock.shift(timedelta(hours=1))
    second.flush()
    assert list(HourlyCount.objects.filter(name=LIVE_SESSIONS).order_by("hour").values_list("count", flat=True)) == [
        2,
        1,
    ]


@pytest.mark.ledger("ASVS-14.2.7")
def test_hourly_totals_are_kept_for_the_event_retention(
    clock: time_machine.Traveller, alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(event_retention=timedelta(days=30))
    flusher = HourlyFlusher()
    flusher.flush()
    oldest = current_hour()
    clock.shift(timedelta(days=30))
    flusher.flush()
    assert HourlyCount.objects.filter(hour=oldest).exists()
    clock.shift(timedelta(hours=1))
    flusher.flush()
    assert not HourlyCount.objects.filter(hour=oldest).exists()


def test_one_worker_of_all_nodes_prunes_in_an_hour(
    clock: time_machine.Traveller, alice: Person, bob: Person, admin: Browser, enqueue_old_rows: Callable[[], None]
) -> None:
    enqueue_old_rows()
    clock.shift(timedelta(days=29))
    bob.refresh()
    clock.shift(timedelta(days=2))
    first, second = HourlyFlusher(), HourlyFlusher()
    first.flush()
    second.flush()
    second.prune(time.monotonic() + 60)
    assert Session.objects.count() == 2
    first.prune(time.monotonic() + 60)
    assert list(Session.objects.values_list("user_id", flat=True)) == [bob.id]
    assert bob.refresh().me().status_code == 200
    assert not any(table.objects.exists() for table in (Mail, OneTimeCode, AdminSession))
    assert not Attempt.objects.filter(account="").exists()


def test_pruning_goes_on_where_it_stopped_and_ends_with_the_hour(
    clock: time_machine.Traveller, alice: Person, bob: Person
) -> None:
    clock.shift(timedelta(days=31))
    flusher = HourlyFlusher()
    flusher.flush()
    steps = 0
    while Session.objects.exists():
        flusher.prune(time.monotonic())  # one batch, as the time is over
        steps += 1
    assert steps > 1
    other, flusher = flusher, HourlyFlusher()
    clock.shift(timedelta(hours=1))
    flusher.flush()
    other.flush()
    assert next(flusher.pruning, None) is not None
    assert next(other.pruning, None) is None


@pytest.fixture
def enqueue_old_rows(alice: Person, http: httpx.Client, settings: Any) -> Callable[[], None]:
    """Return a function that leaves a failed sign-in, and a sent mail with its code, behind."""

    def leave() -> None:
        http.post("/api/login/", json={"email": alice.email, "password": "wrong"})
        http.post("/api/password/reset/", json={"email": alice.email})
        Mail.objects.update(sent_at=clock_now())
        assert all(table.objects.exists() for table in (Mail, OneTimeCode, AdminSession, Attempt))

    return leave


def test_server_workers_store_hourly_totals_once_even_after_a_worker_dies(server: Server) -> None:
    def expect(logins: int) -> None:
        read = f"from latchkey.metrics_server.models import HourlyCount\n{SUM}"
        deadline = time.monotonic() + 3 * INTERVAL
        while (found := server.shell(read)) != str(logins):
            assert time.monotonic() < deadline, found
            time.sleep(1)

    with httpx.Client(base_url=server.url, timeout=20) as http:
        alice = Person(http, "alice@example.com").register()
        for _ in range(6):
            alice.login()
        expect(6)
        killed = server.worker_pids()[0]
        os.kill(killed, signal.SIGKILL)
        wait = time.monotonic() + 20
        while (killed in server.worker_pids() or len(server.worker_pids()) < 2) and time.monotonic() < wait:
            time.sleep(0.1)
    with httpx.Client(base_url=server.url, timeout=20) as http:
        Person(http, alice.email).login()
        expect(7)


SUM = "print(sum(HourlyCount.objects.filter(name='login.succeeded').values_list('count', flat=True)))"
