"""A PostgreSQL that is away for a while delays mails, and loses none; each courier tells of it once."""

import time
from pathlib import Path

import pytest

from tests.postgres import Postgres
from tests.server import Server, create_database
from tests.support.postgres_servers import shared_directory, stop_afterwards
from tests.support.smtp_server import SmtpServer

pytestmark = pytest.mark.fault
ENQUEUE_CODE = """
from latchkey.mail.models import Kind
from latchkey.mail.outbox import post
post(Kind.PASSWORD_RESET, "alice@example.com", {"link": "https://x/?token=LINK", "code": "4711", "minutes": "30"})
"""
POLLS = 5.0
"""Seconds between two looks of a courier."""


@pytest.mark.ledger("ASVS-16.5.2")
def test_couriers_go_on_when_postgresql_is_back(tmp_path: Path) -> None:
    postgres = Postgres(shared_directory()).create().start()
    office = SmtpServer().start()
    server = Server(tmp_path, create_database(postgres.url), EMAIL_URL=office.url)
    with stop_afterwards(postgres):
        try:
            server.start()
            server.shell(ENQUEUE_CODE)
            office.wait_for(1)
            postgres.stop("immediate")
            time.sleep(3 * POLLS)
            postgres.start()
            server.shell(ENQUEUE_CODE)
            office.wait_for(2)
        finally:
            server.kill()
            office.stop()
    assert office.recipients == {"alice@example.com": 2}
    said = [line for line in server.log.read_text().splitlines() if "latchkey.mail.worker" in line]
    assert [line.split()[3] for line in said] == ["database.unavailable"] * server.workers
