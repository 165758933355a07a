"""Events go by themselves once they are older than the setting says, and no younger ones."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
import time_machine
from django.db import connection, connections

from latchkey.audit.models import AuditEvent
from latchkey.audit.prune import BATCH, prune
from latchkey.core import clock as clocks
from tests.people import Person
from tests.server import Server

DEADLINE_SECONDS = 20.0
"""Seconds: a worker that has begun tells what it counted within ten, and sees what hour it is."""
MODELS = "from latchkey.audit.models import AuditEvent; from latchkey.metrics_server.models import Tally; "
TIME = "from django.utils import timezone as t; "


def add(count: int, age: timedelta) -> None:
    at = clocks.now() - age
    AuditEvent.objects.bulk_create(AuditEvent(name="login.failed", at=at) for _ in range(count))


@pytest.mark.ledger("ASVS-14.2.4", "ASVS-14.2.7")
def test_events_are_kept_for_a_year_and_no_longer(
    clock: time_machine.Traveller, alice: Person, set_policy: Callable[..., None]
) -> None:
    clock.shift(timedelta(days=365))
    assert list(prune()) == []
    clock.shift(1)
    alice.login()
    assert list(prune()) == [2]
    assert list(AuditEvent.objects.values_list("name", flat=True)) == ["login.succeeded"]
    clock.shift(timedelta(days=2))
    set_policy(event_retention=timedelta(days=1))
    assert sum(prune()) == 1


def test_all_of_the_old_ones_go_in_small_batches(db: None) -> None:
    add(2 * BATCH + 7, timedelta(days=366))
    add(3, timedelta(days=364))
    assert list(prune()) == [BATCH, BATCH, 7]
    assert AuditEvent.objects.count() == 3
    assert list(prune()) == []


def test_a_young_event_among_old_ones_is_spared(db: None) -> None:
    """Clocks of two nodes may differ, and a transaction that began first may write last."""
    for age in (366, 1, 366, 2, 366):
        add(1, timedelta(days=age))
    assert list(prune(batch=2)) == [1, 1, 1]
    assert AuditEvent.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_several_nodes_prune_at_once_without_failing_and_delete_each_event_once() -> None:
    add(10 * BATCH, timedelta(days=366))
    add(1, timedelta(days=1))

    def node(_: int) -> int:
        try:
            return sum(prune())
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        deleted = list(pool.map(node, range(4)))
    assert sum(deleted) == 10 * BATCH
    assert AuditEvent.objects.count() == 1
    connections.close_all()


def test_a_running_service_prunes_by_itself(server: Server) -> None:
    assert server.stop() == 0
    add_old = "AuditEvent.objects.create(name='login.failed', at=t.now() - t.timedelta(days=366))"
    server.shell(f"{MODELS}{TIME}[{add_old} for _ in range(1200)]; Tally.objects.all().delete()")
    server.restart()
    deadline = time.monotonic() + DEADLINE_SECONDS
    with httpx.Client(base_url=server.url) as http:
        alice = Person(http, "alice@example.com").register().login()
        while (left := server.shell(f"{MODELS}print(AuditEvent.objects.count())")) != "2":
            assert time.monotonic() < deadline, left
        assert alice.me().status_code == 200


def test_a_look_that_finds_nothing_is_two_statements(
    statements: Callable[[Callable[[], object]], list[str]], alice: Person
) -> None:
    assert len(statements(lambda: list(prune()))) == 2
