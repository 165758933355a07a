"""Delivery of due mails by SMTP: one mail after the other over one connection, each outside of any transaction.

A slow mail server thus holds no lock of the database, and one sign-in at it serves a batch.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from latchkey.mail.failures import INTERNAL_ERROR, NOT_ASCII, NOT_CONFIGURED, Failure, classify
from latchkey.mail.models import Mail
from latchkey.mail.queue import claim_next, mark_failed, mark_sent, reschedule
from latchkey.mail.render import Unsendable, load_message
from latchkey.mail.smtputf8 import needs_smtputf8, offers_smtputf8, send_smtputf8

BATCH = 100
"""Mails over one connection; servers limit that."""

log = structlog.get_logger(__name__)


class Outcome(Enum):
    """The result of an attempt. SERVER_DOWN means that the next mail would fail just now, too."""

    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    SERVER_DOWN = "server_down"


def deliver_due() -> Iterator[Outcome]:
    """Send one due mail per step, until none is due, the server is unavailable, or the batch is full.

    Between two steps no mail is claimed, so a caller that has to stop does so there. Raises DatabaseError.
    """
    with smtp_connection() as connection:
        for _ in range(BATCH):
            mail = claim_next()
            if mail is None:
                return
            outcome = deliver_one(mail, connection)
            yield outcome
            if outcome is Outcome.SERVER_DOWN:
                return


@contextmanager
def smtp_connection() -> Iterator[Any]:
    """Yield a connection to the mail server that opens at first use; None if there is no mail server."""
    connection = get_connection(**settings.MAIL_SERVER) if settings.MAIL_SERVER else None
    try:
        yield connection
    finally:
        if connection is not None:
            with suppress(OSError, ValueError):  # whatever state it is in; the next batch opens another one
                connection.close()


def deliver_one(mail: Mail, connection: Any) -> Outcome:
    """Send one claimed mail, and store the result."""
    failure = _try_send(mail, connection)
    if failure is None:
        mark_sent(mail)
        return Outcome.SENT
    if failure.is_permanent or not reschedule(mail, failure):
        mark_failed(mail, failure)
        return Outcome.FAILED
    log.warning("mail.deferred", mail_id=mail.pk, kind=mail.kind, attempts=mail.attempts, reason=failure.phrase)
    return Outcome.SERVER_DOWN if failure.is_server_error else Outcome.DEFERRED


def _try_send(mail: Mail, connection: Any) -> Failure | None:
    """Return None if the server accepted the mail, else the failure; an exception of ours does not stop the others."""
    try:
        message = load_message(mail)
        return send(message, connection) if connection else NOT_CONFIGURED
    except Unsendable as error:
        return error.failure
    except Exception:
        log.exception("mail_worker.failed")
        return INTERNAL_ERROR


def send(
    message: EmailMessage, connection: Any, on_error: Callable[[Exception], object] = lambda error: None
) -> Failure | None:
    """Return None if the server accepted the mail, else the failure; on_error gets the exception with its own words."""
    try:
        connection.open()  # else Django would open one for this mail alone
        smtp = getattr(connection, "connection", None)  # that of smtplib; the console has none
        if smtp is None or not needs_smtputf8(message.to[0]):
            connection.send_messages([message])
        elif offers_smtputf8(smtp):
            send_smtputf8(smtp, message)
        else:
            return NOT_ASCII
    except (OSError, ValueError) as error:
        on_error(error)
        return classify(error)
    return None
