"""A PostgreSQL outage delays mails and loses none; each mail worker logs it once."""

import time
from pathlib import Path

import pytest

from tests.postgres import Postgres
from tests.server import Server, create_database
from tests.support.postgres_servers import shared_directory, stop_afterwards
from tests.support.smtp_server import SmtpServer

pytestmark = pytest.mark.fault
ENQUEUE_CODE = """
from latchkey.mail.models import MailKind
from latchkey.mail.outbox import enqueue
context = {"link": "https://x/?token=LINK", "code": "4711", "minutes": "30"}
enqueue(MailKind.PASSWORD_RESET, "alice@example.com", context)
"""
POLLS = 5.0
"""Seconds between two polls of a mail worker."""


@pytest.mark.ledger("ASVS-16.5.2")
def test_mail_workers_resume_after_a_postgresql_outage(tmp_path: Path) -> None:
    postgres = Postgres(shared_directory()).create().start()
    smtp = SmtpServer().start()
    server = Server(tmp_path, create_database(postgres.url), EMAIL_URL=smtp.url)
    with stop_afterwards(postgres):
        try:
            server.start()
            server.shell(ENQUEUE_CODE)
            smtp.wait_for(1)
            postgres.stop("immediate")
            time.sleep(3 * POLLS)
            postgres.start()
            server.shell(ENQUEUE_CODE)
            smtp.wait_for(2)
        finally:
            server.kill()
            smtp.stop()
    assert smtp.recipients == {"alice@example.com": 2}
    worker_lines = [line for line in server.log.read_text().splitlines() if "latchkey.mail.worker" in line]
    assert [line.split()[3] for line in worker_lines] == ["database.unavailable"] * server.workers
