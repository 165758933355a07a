"""The gauges of the mail queue: number of waiting mails and age of the oldest."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine

from latchkey.mail.models import Mail, MailKind
from latchkey.mail.outbox import enqueue
from latchkey.mail.queue import QueueSize, queue_size
from latchkey.metrics_server.collectors import database_gauges


def test_mail_queue_gauges_count_mails_that_are_neither_sent_nor_failed(
    db: None, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    assert queue_size() == QueueSize(0, None)
    assert queue_gauges() == (0, 0)
    now = datetime.now(UTC)
    for age, done in ((90, {}), (30, {}), (300, {"sent_at": now}), (300, {"failed_at": now})):
        with time_machine.travel(now - timedelta(seconds=age), tick=False):
            row = enqueue(MailKind.NEW_DEVICE, "alice@example.com", {})
        Mail.objects.filter(pk=row.pk).update(**done)
    with time_machine.travel(now, tick=False):
        assert queue_size() == QueueSize(2, timedelta(seconds=90))
        assert queue_gauges() == (2, 90)
    assert len(statements(queue_size)) == 1


def queue_gauges() -> tuple[float, float]:
    gauges = database_gauges()
    return gauges["latchkey_mail_waiting"][1], gauges["latchkey_mail_oldest_seconds"][1]
