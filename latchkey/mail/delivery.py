"""Send what is due: one mail after the other over one connection, each outside of any transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from latchkey.mail.failures import MISTAKE, NOT_SET_UP, Failure, failure_of
from latchkey.mail.models import Mail
from latchkey.mail.queue import given_up, put_off, sent, take
from latchkey.mail.render import Unsendable, opened

BATCH = 100
"""Mails over one connection; servers like to limit that."""

log = structlog.get_logger(__name__)


class Outcome(Enum):
    """What became of an attempt; AWAY: the next mail would fare no better just now."""

    SENT = "sent"
    PUT_OFF = "put off"
    GIVEN_UP = "given up"
    AWAY = "away"


def deliver() -> Iterator[Outcome]:
    """Send one due mail for each step, until there are no more, the server is away or has had a batch.

    Between two steps nothing is in hand, so whoever has to stop does so there. Raises DatabaseError.
    """
    with server() as connection:
        for _ in range(BATCH):
            mail = take()
            if mail is None:
                return
            outcome = attempt(mail, connection)
            yield outcome
            if outcome is Outcome.AWAY:
                return


@contextmanager
def server() -> Iterator[Any]:
    """Return a connection to the mail server that opens itself when it is needed; None where there is no server."""
    connection = get_connection(**settings.MAIL_SERVER) if settings.MAIL_SERVER else None
    try:
        yield connection
    finally:
        if connection is not None:
            with suppress(OSError, ValueError):  # whatever state it is in; the next batch opens another one
                connection.close()


def attempt(mail: Mail, connection: Any) -> Outcome:
    """Send one mail, and write down what became of it."""
    why = tried(mail, connection)
    if why is None:
        sent(mail)
        return Outcome.SENT
    if why.is_final or not put_off(mail, why):
        given_up(mail, why)
        return Outcome.GIVEN_UP
    log.warning("mail.put_off", mail_id=mail.pk, kind=mail.kind, attempts=mail.attempts, reason=why.phrase)
    return Outcome.AWAY if why.is_of_server else Outcome.PUT_OFF


def tried(mail: Mail, connection: Any) -> Failure | None:
    """Return None once the server has taken the mail, else why it has not; a mistake of ours is no reason to stop."""
    try:
        message = opened(mail)
        return handed_over(message, connection) if connection else NOT_SET_UP
    except Unsendable as error:
        return error.why
    except Exception:
        log.exception("mail.failed")
        return MISTAKE


def handed_over(
    message: EmailMessage, connection: Any, tell: Callable[[Exception], object] = lambda error: None
) -> Failure | None:
    """Return None once the server has taken the mail, else why it has not; whoever asked is told in its own words."""
    try:
        connection.open()  # else Django would open one for this mail alone
        connection.send_messages([message])
    except (OSError, ValueError) as error:
        tell(error)
        return failure_of(error)
    return None
