"""Fixtures of the mail tests: a real SMTP server, and mails with a secret in their context."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from latchkey.conf.email import parse_email_url
from latchkey.mail.delivery import Outcome, deliver_due
from latchkey.mail.models import Mail, MailKind
from latchkey.mail.outbox import enqueue
from tests.support.smtp_server import SmtpServer

ALICE = "alice@example.com"
CONTEXT = {"link": "https://auth.example.com/go/?token=TOKEN-OF-ALICE&next=1", "code": "4711-0815", "minutes": "30"}


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    server = SmtpServer().start()
    yield server
    server.stop()


@pytest.fixture
def configured_smtp_server(db: None, settings: Any, smtp_server: SmtpServer) -> SmtpServer:
    """The SMTP server that this process is configured with."""
    settings.MAIL_SERVER = parse_email_url(smtp_server.url)
    settings.PUBLIC_URL, settings.MAIL_FROM = "https://auth.example.com", "Example <no-reply@example.com>"
    return smtp_server


@pytest.fixture
def enqueue_mail(db: None) -> Callable[..., Mail]:
    """Return a function that adds a mail to the outbox: enqueue_mail(to="bob@example.com")."""

    def put(kind: MailKind = MailKind.PASSWORD_RESET, to: str = ALICE, **context: str) -> Mail:
        return enqueue(kind, to, CONTEXT | context, user_id=1)

    return put


@pytest.fixture
def deliver_due_mails() -> Callable[[], list[Outcome]]:
    """Return a function that delivers due mails as the worker does, and returns the outcome of each."""
    return lambda: list(deliver_due())
