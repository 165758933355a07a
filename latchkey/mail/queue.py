"""Take mails out of the outbox, each by one courier at a time, and write down what became of them.

What an operator does to mails that wait.
"""

from collections.abc import Collection
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.conf.email import TIMEOUT
from latchkey.core import clock
from latchkey.db.cursor import fetch
from latchkey.mail.failures import Failure
from latchkey.mail.models import Mail
from latchkey.mail.outbox import BELL

TAKE = """
WITH due AS (
    SELECT id FROM latchkey_mail
    WHERE sent_at IS NULL AND given_up_at IS NULL AND next_attempt_at <= %(now)s
    ORDER BY next_attempt_at LIMIT 1 {lock}
)
UPDATE latchkey_mail SET attempts = attempts + 1, next_attempt_at = %(until)s FROM due WHERE latchkey_mail.id = due.id
RETURNING latchkey_mail.id
"""
LEASE = 20
"""Of the time that one answer may take: an attempt has about a dozen, so a courier that still has the mail is dead."""
WAITS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180)]
"""After the first failed attempt, the second, ...; the last one again and again."""
GIVEN_UP_AFTER = timedelta(hours=24)


def due() -> models.QuerySet[Mail]:
    """Return the mails that somebody should send now."""
    return Mail.objects.filter(sent_at=None, given_up_at=None, next_attempt_at__lte=clock.now())


def lease() -> timedelta:
    """Return for how long whoever takes a mail has it to themselves."""
    return LEASE * timedelta(seconds=(settings.MAIL_SERVER or {}).get("timeout", TIMEOUT))


def take() -> Mail | None:
    """Return the mail that is due for longest, None where none is; raises DatabaseError.

    The attempt is counted and the next one set before this one begins: a courier that dies in the middle loses
    nothing, and no other one takes the same attempt. On PostgreSQL they do not wait for each other's rows either.
    """
    if not due().exists():  # SQLite would wait for its writer, to find nothing to do
        return None
    now, adapted = clock.now(), connection.ops.adapt_datetimefield_value
    until = now + lease()
    rows = fetch(_take(connection.vendor), {"now": adapted(now), "until": adapted(until)})
    return Mail.objects.get(pk=rows[0][0]) if rows else None


def sent(mail: Mail) -> None:
    """Write down that a mail was taken by the server; what it was filled with is needed no more."""
    _settle(mail, Event.MAIL_SENT, mail.kind, sent_at=clock.now(), sealed=b"", last_error="")


def given_up(mail: Mail, why: Failure) -> None:
    """Write down that a mail will never be sent, and empty it."""
    reason, now = f"{mail.kind}: {why.phrase}", clock.now()
    _settle(mail, Event.MAIL_GIVEN_UP, reason, given_up_at=now, sealed=b"", last_error=why.phrase)


def put_off(mail: Mail, why: Failure) -> bool:
    """Have a mail tried again later; return False where that would be past its time."""
    at = clock.now() + WAITS[min(mail.attempts, len(WAITS)) - 1]
    if at > mail.created_at + GIVEN_UP_AFTER:
        return False
    _of(mail).update(next_attempt_at=at, last_error=why.phrase)
    return True


def _settle(mail: Mail, event: Event, reason: str, **columns: Any) -> None:
    with transaction.atomic():
        if _of(mail).update(**columns):
            record(event, user_id=mail.user_id, reason=reason)


def _of(mail: Mail) -> models.QuerySet[Mail]:
    """Return the row while this attempt is the last one: whoever was too slow changes nothing any more."""
    return Mail.objects.filter(pk=mail.pk, attempts=mail.attempts, sent_at=None, given_up_at=None)


@cache
def _take(vendor: str) -> str:
    return TAKE.format(lock="FOR UPDATE SKIP LOCKED" if vendor == "postgresql" else "")  # SQLite has one writer


def try_again(mail_ids: Collection[int]) -> int:
    """Have those of these mails that wait tried at once; return how many.

    One that is due within a lease may be in a courier's hands, and would be sent twice: it is left to its time, which
    is minutes away. What was sent, or given up, stays as it is, as its contents are gone.
    """
    now = clock.now()
    waiting = Mail.objects.filter(pk__in=mail_ids, sent_at=None, given_up_at=None, next_attempt_at__gt=now + lease())
    changed = waiting.update(next_attempt_at=now)
    transaction.on_commit(BELL.set)
    return changed
