"""Retention of audit events: pruning deletes those older than the setting, and no younger ones."""

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
"""In seconds. A started worker flushes its counters within 10 s, and the first flush of an hour prunes."""
MODELS = "from latchkey.audit.models import AuditEvent; from latchkey.metrics_server.models import HourlyCount; "
TIME = "from django.utils import timezone as t; "


def add(count: int, age: timedelta) -> None:
    at = clocks.now() - age
    AuditEvent.objects.bulk_create(AuditEvent(name="login.failed", at=at) for _ in range(count))


@pytest.mark.ledger("ASVS-14.2.4", "ASVS-14.2.7")
def test_prune_deletes_audit_events_past_the_event_retention_setting(
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


def test_prune_deletes_old_audit_events_in_batches(db: None) -> None:
    add(2 * BATCH + 7, timedelta(days=366))
    add(3, timedelta(days=364))
    assert list(prune()) == [BATCH, BATCH, 7]
    assert AuditEvent.objects.count() == 3
    assert list(prune()) == []


def test_prune_keeps_a_young_audit_event_between_old_ones(db: None) -> None:
    """Ids are not in order of time: clocks of nodes differ, and a transaction that began first may commit last."""
    for age in (366, 1, 366, 2, 366):
        add(1, timedelta(days=age))
    assert list(prune(batch=2)) == [1, 1, 1]
    assert AuditEvent.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_parallel_prunes_delete_each_audit_event_once_without_errors() -> None:
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


def test_running_server_prunes_old_audit_events_by_itself(server: Server) -> None:
    assert server.stop() == 0
    add_old = "AuditEvent.objects.create(name='login.failed', at=t.now() - t.timedelta(days=366))"
    server.shell(f"{MODELS}{TIME}[{add_old} for _ in range(1200)]; HourlyCount.objects.all().delete()")
    server.restart()
    deadline = time.monotonic() + DEADLINE_SECONDS
    with httpx.Client(base_url=server.url) as http:
        alice = Person(http, "alice@example.com").register().login()
        while (left := server.shell(f"{MODELS}print(AuditEvent.objects.count())")) != "3":
            assert time.monotonic() < deadline, left
        assert alice.me().status_code == 200


def test_prune_of_audit_events_takes_two_statements_if_none_is_old(
    statements: Callable[[Callable[[], object]], list[str]], alice: Person
) -> None:
    assert len(statements(lambda: list(prune()))) == 2
