"""Concurrent mail workers neither claim the same mail nor process the same event twice, and lose none."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.audit.models import AuditEvent
from latchkey.core import clock
from latchkey.mail.models import Mail
from latchkey.mail.notices import process_pending
from latchkey.mail.queue import claim_next
from tests.mail.test_delivery import EnqueueMail

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 4


def run_simultaneously(act: Callable[[], Any]) -> list[Any]:
    """Call act in several threads at once, in each until it returns None; return all results."""
    barrier = Barrier(WORKERS)

    def work(_: int) -> list[Any]:
        barrier.wait(10)
        try:
            return list(iter(act, None))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        return [done for each in pool.map(work, range(WORKERS)) for done in each]


def test_concurrent_mail_workers_claim_each_mail_once(enqueue_mail: EnqueueMail) -> None:
    rows = [enqueue_mail().pk for _ in range(100)]
    claimed = Counter(run_simultaneously(lambda: (mail := claim_next()) and mail.pk))
    assert claimed == dict.fromkeys(rows, 1)
    assert set(Mail.objects.values_list("attempts", flat=True)) == {1}


def test_concurrent_mail_workers_create_one_notice_for_each_event(transactional_db: None) -> None:
    alice = User.objects.create_user("alice@example.com", email_verified_at=clock.now())
    for _ in range(100):
        record(Event.SESSION_REPLAYED, user_id=alice.pk)
    assert sum(run_simultaneously(lambda: process_pending() or None)) == 100
    assert Mail.objects.filter(kind="session_replayed", user_id=alice.pk).count() == 100


def test_event_whose_notice_cannot_be_stored_stays_pending(transactional_db: None) -> None:
    alice = User.objects.create_user("alice@example.com")
    record(Event.SESSION_REPLAYED, user_id=alice.pk)
    with connection.schema_editor() as editor:
        editor.alter_db_table(Mail, "latchkey_mail", "latchkey_mail_away")
    try:
        with pytest.raises(DatabaseError):
            process_pending()
    finally:
        with connection.schema_editor() as editor:
            editor.alter_db_table(Mail, "latchkey_mail_away", "latchkey_mail")
    assert AuditEvent.objects.get(notification_pending=True).name == "session.replayed"
    assert process_pending() == 1
    assert Mail.objects.count() == 1
