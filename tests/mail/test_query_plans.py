"""Query plans of the mail worker: its polling statements use small indexes, whatever the size of the tables."""

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
from latchkey.mail.queue import claim_next, queue_size
from tests.mail.test_delivery import EnqueueMail
from tests.operations.test_indexes import capture_statements, query_plan

FULL_SCAN = re.compile(r"Seq Scan on latchkey_|SCAN latchkey_\w+(?! USING)\b")
"""A full table scan; on SQLite a scan of a partial index is allowed."""


@pytest.fixture
def pending_work(enqueue_mail: EnqueueMail) -> None:
    """A mail that is due, and sign-in events that are not processed yet."""
    enqueue_mail()
    alice = User.objects.create_user("alice@example.com")
    for address in ("192.0.2.1", "198.51.100.1"):
        record(
            Event.LOGIN_SUCCEEDED, ClientInfo(address, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)"), user_id=alice.pk
        )


@pytest.mark.parametrize(
    "act", [claim_next, process_pending, queue_size, lambda: sum(prune())], ids=["claim", "notices", "queue", "prune"]
)
def test_statements_of_the_mail_worker_do_not_scan_a_whole_table(pending_work: None, act: Callable[[], Any]) -> None:
    assert Mail.objects.count() == 1
    plans = [query_plan(statement) for statement in capture_statements(act)]
    assert plans
    for plan in plans:
        assert not FULL_SCAN.search(plan), plan
