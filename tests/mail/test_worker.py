"""The mail worker thread: wakes up for new mails, survives failures, and stops when asked."""

import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, connections

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.mail import worker as rounds
from latchkey.mail.models import Mail
from latchkey.mail.outbox import mail_queued
from latchkey.mail.worker import MailWorker
from tests.mail.conftest import ALICE
from tests.mail.test_delivery import EnqueueMail
from tests.support.captured_log import CapturedLog
from tests.support.smtp_server import SmtpServer, abort_connection

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mail_worker(configured_smtp_server: SmtpServer) -> Iterator[MailWorker]:
    worker = MailWorker()
    worker.thread.start()
    yield worker
    worker.stop(10)
    assert not worker.thread.is_alive()


def wait_for(condition: Callable[[], object], within: float = 10) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_mail_worker_sends_a_mail_of_its_own_process_at_once(
    mail_worker: MailWorker, configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail
) -> None:
    for number in (1, 2):
        enqueue_mail()
        configured_smtp_server.wait_for(number, within=rounds.POLL_INTERVAL / 2)
    wait_for(lambda: Mail.objects.exclude(sent_at=None).count() == 2)
    assert configured_smtp_server.recipients == {ALICE: 2}


def test_mail_worker_sends_a_notice_in_its_next_run(
    mail_worker: MailWorker, configured_smtp_server: SmtpServer
) -> None:
    alice = User.objects.create_user(ALICE)
    wait_for(lambda: not mail_queued.is_set())
    record(Event.SESSION_REPLAYED, user_id=alice.pk)
    mail_queued.set()
    configured_smtp_server.wait_for(1, within=rounds.POLL_INTERVAL / 2)
    assert configured_smtp_server.recipients == {ALICE: 1}


def test_mail_worker_pauses_while_the_mail_server_is_down(
    mail_worker: MailWorker, configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, captured_log: CapturedLog
) -> None:
    configured_smtp_server.on_recipient = lambda server, address: abort_connection(server)
    for _ in range(5):
        enqueue_mail()
    wait_for(lambda: captured_log.lines("mail.deferred"))
    mail_queued.set()
    time.sleep(0.5)
    assert len(captured_log.lines("mail.deferred")) == 1
    assert sorted(Mail.objects.values_list("attempts", flat=True)) == [0, 0, 0, 0, 1]


@pytest.mark.ledger("ASVS-16.5.2")
def test_mail_worker_resumes_after_a_database_outage_and_logs_it_once(
    mail_worker: MailWorker, configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, captured_log: CapturedLog
) -> None:
    enqueue_mail()
    wait_for(lambda: Mail.objects.exclude(sent_at=None).exists())
    with connection.schema_editor() as editor:
        editor.alter_db_table(Mail, "latchkey_mail", "latchkey_mail_away")
    try:
        for _ in range(3):
            mail_queued.set()
            wait_for(lambda: not mail_queued.is_set())
        wait_for(lambda: mail_worker.database_down)
    finally:
        with connection.schema_editor() as editor:
            editor.alter_db_table(Mail, "latchkey_mail_away", "latchkey_mail")
    enqueue_mail()
    configured_smtp_server.wait_for(2)
    assert [line["level"] for line in captured_log.lines("database.unavailable")] == ["error"]


def test_mail_worker_closes_its_database_connection_while_idle(
    mail_worker: MailWorker, configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail
) -> None:
    from latchkey.metrics_server.worker_gauges import _databases

    enqueue_mail()
    wait_for(lambda: Mail.objects.exclude(sent_at=None).exists())
    others = [database for database in _databases if database is not connections["default"]]
    wait_for(lambda: all(database.connection is None for database in others))
