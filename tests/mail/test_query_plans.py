"""What couriers ask every few seconds is answered by small indexes, however many mails and events there are."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import ClientInfo
from latchkey.mail.models import Mail
from latchkey.mail.notices import process_pending
from latchkey.mail.prune import prune
from latchkey.mail.queue import claim_next
from latchkey.metrics_server.collectors import mail_queue_size
from tests.mail.test_delivery import EnqueueMail
from tests.operations.test_indexes import capture_statements, query_plan

WHOLE = re.compile(r"Seq Scan on latchkey_|SCAN latchkey_\w+(?! USING)\b")
"""A table read from end to end; on SQLite an index that holds only what waits may be."""


@pytest.fixture
def pending_work(enqueue_mail: EnqueueMail) -> None:
    """A mail that is due, and sign-ins that nobody has decided on."""
    enqueue_mail()
    alice = User.objects.create_user("alice@example.com")
    for address in ("192.0.2.1", "198.51.100.1"):
        record(
            Event.LOGIN_SUCCEEDED, ClientInfo(address, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)"), user_id=alice.pk
        )


@pytest.mark.parametrize(
    "act", [claim_next, process_pending, mail_queue_size, lambda: sum(prune())], ids=["take", "tell", "queue", "prune"]
)
def test_no_statement_of_a_courier_reads_a_whole_table(pending_work: None, act: Callable[[], Any]) -> None:
    assert Mail.objects.count() == 1
    plans = [query_plan(statement) for statement in capture_statements(act)]
    assert plans
    for plan in plans:
        assert not WHOLE.search(plan), plan
