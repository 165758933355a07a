"""How many mails wait, and for how long, is told to whoever watches."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine

from latchkey.mail.models import Mail, MailKind
from latchkey.mail.outbox import enqueue
from latchkey.metrics_server.collectors import mail_queue_size


def test_the_queue_is_what_is_neither_sent_nor_given_up(
    db: None, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    assert mail_queue_size() == (0, 0)
    now = datetime.now(UTC)
    for age, done in ((90, {}), (30, {}), (300, {"sent_at": now}), (300, {"failed_at": now})):
        with time_machine.travel(now - timedelta(seconds=age), tick=False):
            row = enqueue(MailKind.NEW_DEVICE, "alice@example.com", {})
        Mail.objects.filter(pk=row.pk).update(**done)
    with time_machine.travel(now, tick=False):
        assert mail_queue_size() == (2, 90)
    assert len(statements(mail_queue_size)) == 1
