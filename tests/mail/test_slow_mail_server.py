"""A mail server that says nothing, drips, or stalls: a mail takes a limited time, and the outbox goes on."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from latchkey.conf.email import parse_email_url
from latchkey.mail.delivery import Outcome
from latchkey.mail.models import Mail
from latchkey.mail.smtp import MAIL_FACTOR
from latchkey.mail.worker import MailWorker
from tests.support.smtp_server import SmtpServer
from tests.support.stalling_smtp_server import StallingServer

TIMEOUT = 2
LATE = 2.5
"""Seconds beyond a limit: half a second until it is noticed, and what a busy machine takes."""


@pytest.fixture
def stall(settings: Any, db: None) -> Iterator[Callable[[int, bool], StallingServer]]:
    """Return a function that configures a mail server which stalls at a step."""
    started: list[StallingServer] = []

    def start(step: int, drips: bool) -> StallingServer:
        started.append(StallingServer(step, drips))
        settings.MAIL_SERVER = parse_email_url(f"smtp://127.0.0.1:{started[-1].port}?tls=off&timeout={TIMEOUT}")
        return started[-1]

    yield start
    for server in started:
        server.over.set()
        server.listener.close()


@pytest.mark.parametrize("drips", [False, True], ids=["silent", "dripping"])
@pytest.mark.parametrize("step", [0, 1, 4, 5], ids=["greeting", "ehlo", "data", "end"])
def test_mail_to_a_server_that_stalls_is_deferred_in_time(
    stall: Callable[[int, bool], StallingServer],
    enqueue_mail: Callable[..., Mail],
    deliver_due_mails: Callable[[], list[Outcome]],
    step: int,
    drips: bool,
) -> None:
    stall(step, drips)
    mail = enqueue_mail()
    began = time.monotonic()
    assert deliver_due_mails() == [Outcome.SERVER_DOWN]
    taken = time.monotonic() - began
    assert taken < (MAIL_FACTOR * TIMEOUT if drips else TIMEOUT) + TIMEOUT + LATE  # and one more for saying goodbye
    mail.refresh_from_db()
    assert (mail.sent_at, mail.failed_at, mail.last_error) == (None, None, "timed out")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("drips", [False, True], ids=["silent", "dripping"])
@pytest.mark.parametrize("step", [0, 5], ids=["greeting", "end"])
def test_mail_worker_stops_in_time_while_the_mail_server_stalls(
    stall: Callable[[int, bool], StallingServer],
    enqueue_mail: Callable[..., Mail],
    settings: Any,
    step: int,
    drips: bool,
) -> None:
    server = stall(step, drips)
    settings.MAIL_SERVER = {**settings.MAIL_SERVER, "timeout": 60}
    mail = enqueue_mail()
    worker = MailWorker()
    worker.thread.start()
    assert server.reached.wait(10)
    began = time.monotonic()
    worker.stop(3)
    assert time.monotonic() - began < 3 + LATE
    assert not worker.thread.is_alive()
    mail.refresh_from_db()
    assert (mail.attempts, mail.last_error) == (1, "timed out")


def test_mail_is_sent_after_another_mail_server_stalled(
    stall: Callable[[int, bool], StallingServer],
    enqueue_mail: Callable[..., Mail],
    deliver_due_mails: Callable[[], list[Outcome]],
    smtp_server: SmtpServer,
    settings: Any,
) -> None:
    stall(5, True)
    enqueue_mail()
    assert deliver_due_mails() == [Outcome.SERVER_DOWN]
    settings.MAIL_SERVER = parse_email_url(smtp_server.url)
    enqueue_mail(to="bob@example.com")
    assert deliver_due_mails() == [Outcome.SENT]
