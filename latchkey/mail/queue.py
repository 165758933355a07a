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
from latchkey.db.statements import fetch_all
from latchkey.mail.failures import Failure
from latchkey.mail.models import Mail
from latchkey.mail.outbox import mail_queued

CLAIM = """
WITH due AS (
    SELECT id FROM latchkey_mail
    WHERE sent_at IS NULL AND failed_at IS NULL AND next_attempt_at <= %(now)s
    ORDER BY next_attempt_at LIMIT 1 {lock}
)
UPDATE latchkey_mail SET attempts = attempts + 1, next_attempt_at = %(until)s FROM due WHERE latchkey_mail.id = due.id
RETURNING latchkey_mail.id
"""
LEASE_FACTOR = 20
"""Of the time that one answer may take: an attempt has about a dozen, so a courier that still has the mail is dead."""
BACKOFF = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180)]
"""After the first failed attempt, the second, ...; the last one again and again."""
MAX_AGE = timedelta(hours=24)


def due() -> models.QuerySet[Mail]:
    """Return the mails that somebody should send now."""
    return Mail.objects.filter(sent_at=None, failed_at=None, next_attempt_at__lte=clock.now())


def lease() -> timedelta:
    """Return for how long whoever takes a mail has it to themselves."""
    return LEASE_FACTOR * timedelta(seconds=(settings.MAIL_SERVER or {}).get("timeout", TIMEOUT))


def claim_next() -> Mail | None:
    """Return the mail that is due for longest, None where none is; raises DatabaseError.

    The attempt is counted and the next one set before this one begins: a courier that dies in the middle loses
    nothing, and no other one takes the same attempt. On PostgreSQL they do not wait for each other's rows either.
    """
    if not due().exists():  # SQLite would wait for its writer, to find nothing to do
        return None
    now, adapted = clock.now(), connection.ops.adapt_datetimefield_value
    until = now + lease()
    rows = fetch_all(_claim_statement(connection.vendor), {"now": adapted(now), "until": adapted(until)})
    return Mail.objects.get(pk=rows[0][0]) if rows else None


def mark_sent(mail: Mail) -> None:
    """Write down that a mail was taken by the server; what it was filled with is needed no more."""
    _finish(mail, Event.MAIL_SENT, mail.kind, sent_at=clock.now(), encrypted_context=b"", last_error="")


def mark_failed(mail: Mail, why: Failure) -> None:
    """Write down that a mail will never be sent, and empty it."""
    reason, now = f"{mail.kind}: {why.phrase}", clock.now()
    _finish(mail, Event.MAIL_FAILED, reason, failed_at=now, encrypted_context=b"", last_error=why.phrase)


def reschedule(mail: Mail, why: Failure) -> bool:
    """Have a mail tried again later; return False where that would be past its time."""
    at = clock.now() + BACKOFF[min(mail.attempts, len(BACKOFF)) - 1]
    if at > mail.created_at + MAX_AGE:
        return False
    _current_attempt(mail).update(next_attempt_at=at, last_error=why.phrase)
    return True


def _finish(mail: Mail, event: Event, reason: str, **columns: Any) -> None:
    with transaction.atomic():
        if _current_attempt(mail).update(**columns):
            record(event, user_id=mail.user_id, reason=reason)


def _current_attempt(mail: Mail) -> models.QuerySet[Mail]:
    """Return the row while this attempt is the last one: whoever was too slow changes nothing any more."""
    return Mail.objects.filter(pk=mail.pk, attempts=mail.attempts, sent_at=None, failed_at=None)


@cache
def _claim_statement(vendor: str) -> str:
    return CLAIM.format(lock="FOR UPDATE SKIP LOCKED" if vendor == "postgresql" else "")  # SQLite has one writer


def retry_now(mail_ids: Collection[int]) -> int:
    """Have those of these mails that wait tried at once; return how many.

    One that is due within a lease may be in a courier's hands, and would be sent twice: it is left to its time, which
    is minutes away. What was sent, or given up, stays as it is, as its contents are gone.
    """
    now = clock.now()
    waiting = Mail.objects.filter(pk__in=mail_ids, sent_at=None, failed_at=None, next_attempt_at__gt=now + lease())
    changed = waiting.update(next_attempt_at=now)
    transaction.on_commit(mail_queued.set)
    return changed
