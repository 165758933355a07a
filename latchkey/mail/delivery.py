"""Send what is due: one mail after the other over one connection, each outside of any transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from latchkey.mail.failures import INTERNAL_ERROR, NOT_CONFIGURED, Failure, classify
from latchkey.mail.models import Mail
from latchkey.mail.queue import claim_next, mark_failed, mark_sent, reschedule
from latchkey.mail.render import Unsendable, load_message

BATCH = 100
"""Mails over one connection; servers like to limit that."""

log = structlog.get_logger(__name__)


class Outcome(Enum):
    """What became of an attempt; AWAY: the next mail would fare no better just now."""

    SENT = "sent"
    DEFERRED = "put off"
    FAILED = "failed"
    SERVER_DOWN = "away"


def deliver_due() -> Iterator[Outcome]:
    """Send one due mail for each step, until there are no more, the server is away or has had a batch.

    Between two steps nothing is in hand, so whoever has to stop does so there. Raises DatabaseError.
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
    """Return a connection to the mail server that opens itself when it is needed; None where there is no server."""
    connection = get_connection(**settings.MAIL_SERVER) if settings.MAIL_SERVER else None
    try:
        yield connection
    finally:
        if connection is not None:
            with suppress(OSError, ValueError):  # whatever state it is in; the next batch opens another one
                connection.close()


def deliver_one(mail: Mail, connection: Any) -> Outcome:
    """Send one mail, and write down what became of it."""
    why = _try_send(mail, connection)
    if why is None:
        mark_sent(mail)
        return Outcome.SENT
    if why.is_permanent or not reschedule(mail, why):
        mark_failed(mail, why)
        return Outcome.FAILED
    log.warning("mail.deferred", mail_id=mail.pk, kind=mail.kind, attempts=mail.attempts, reason=why.phrase)
    return Outcome.SERVER_DOWN if why.is_server_error else Outcome.DEFERRED


def _try_send(mail: Mail, connection: Any) -> Failure | None:
    """Return None once the server has taken the mail, else why it has not; a mistake of ours is no reason to stop."""
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
    """Return None once the server has taken the mail, else why it has not; whoever asked is told in its own words."""
    try:
        connection.open()  # else Django would open one for this mail alone
        connection.send_messages([message])
    except (OSError, ValueError) as error:
        on_error(error)
        return classify(error)
    return None
