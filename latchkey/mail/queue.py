"""The mail queue: claim due mails of the outbox under a lease, store the result, retry with backoff.

Any number of workers may run at the same time: a mail is claimed by one of them, and again only after the lease.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction

from latchkey.audit.events import Event
from latchkey.audit.log import COMMAND_LINE, Operator, record, record_by
from latchkey.conf.email import TIMEOUT
from latchkey.core import clock
from latchkey.db.statements import fetch_all
from latchkey.mail.failures import Failure
from latchkey.mail.models import STATE_FILTERS, Mail, MailState
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
"""Times the timeout of one SMTP reply: an attempt has about a dozen replies, so after the lease its worker is dead."""

BACKOFF = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180)]
"""Delay after the first failed attempt, the second, ...; the last one is repeated."""

MAX_AGE = timedelta(hours=24)
"""Since the mail was written; a later attempt is not made, and the mail has failed."""

MAX_COUNTED = 10_000
"""Waiting mails that are counted: a longer queue needs no exact number."""


def waiting() -> models.QuerySet[Mail]:
    """Return the mails that are neither sent nor failed, along a partial index; usually there are none."""
    return Mail.objects.filter(STATE_FILTERS[MailState.WAITING])


def due() -> models.QuerySet[Mail]:
    """Return the waiting mails whose next attempt is due."""
    return waiting().filter(next_attempt_at__lte=clock.now())


@dataclass(frozen=True, slots=True)
class QueueSize:
    """The number of waiting mails, up to MAX_COUNTED, and the age of the oldest one, None if there is none."""

    count: int
    oldest_age: timedelta | None


def queue_size() -> QueueSize:
    """Return the size of the mail queue, for the metrics and the admin: one statement; raises DatabaseError."""
    counted = (
        waiting()
        .order_by("next_attempt_at")[:MAX_COUNTED]
        .aggregate(count=models.Count("pk"), oldest=models.Min("created_at"))
    )
    oldest = counted["oldest"]
    return QueueSize(counted["count"], None if oldest is None else max(timedelta(0), clock.now() - oldest))


def lease() -> timedelta:
    """Return how long a claimed mail belongs to one worker."""
    return LEASE_FACTOR * timedelta(seconds=(settings.MAIL_SERVER or {}).get("timeout", TIMEOUT))


def claim_next() -> Mail | None:
    """Claim the mail that has been due for longest, and return it, None if there is none; raises DatabaseError.

    The attempt is counted, and the next one scheduled, before this one begins: if the worker dies in the middle, the
    mail is not lost, and no other worker makes the same attempt. On PostgreSQL, workers skip each other's locked rows.
    """
    if not due().exists():  # on SQLite the statement would wait for the writer, to find nothing to do
        return None
    now, to_sql = clock.now(), connection.ops.adapt_datetimefield_value
    until = now + lease()
    rows = fetch_all(_claim_statement(connection.vendor), {"now": to_sql(now), "until": to_sql(until)})
    return Mail.objects.get(pk=rows[0][0]) if rows else None


@cache
def _claim_statement(vendor: str) -> str:
    return CLAIM.format(lock="FOR UPDATE SKIP LOCKED" if vendor == "postgresql" else "")  # SQLite has one writer


def mark_sent(mail: Mail) -> None:
    """Store that the server accepted the mail, and delete its content."""
    _finish(mail, Event.MAIL_SENT, mail.kind, sent_at=clock.now(), encrypted_context=b"", last_error="")


def mark_failed(mail: Mail, failure: Failure) -> None:
    """Store that the mail has failed for good, and delete its content."""
    reason, now = f"{mail.kind}: {failure.phrase}", clock.now()
    _finish(mail, Event.MAIL_FAILED, reason, failed_at=now, encrypted_context=b"", last_error=failure.phrase)


def reschedule(mail: Mail, failure: Failure) -> bool:
    """Schedule another attempt after a backoff; return False if the mail would be older than MAX_AGE by then."""
    at = clock.now() + BACKOFF[min(mail.attempts, len(BACKOFF)) - 1]
    if at > mail.created_at + MAX_AGE:
        return False
    _current_attempt(mail).update(next_attempt_at=at, last_error=failure.phrase)
    return True


def _finish(mail: Mail, event: Event, reason: str, **columns: Any) -> None:
    with transaction.atomic():
        if _current_attempt(mail).update(**columns):
            record(event, user_id=mail.user_id, reason=reason)


def _current_attempt(mail: Mail) -> models.QuerySet[Mail]:
    """Return the row if this attempt is still the last one: a worker past its lease changes nothing."""
    return waiting().filter(pk=mail.pk, attempts=mail.attempts)


@transaction.atomic
def retry_now(mail_ids: Collection[int], operator: Operator = COMMAND_LINE) -> int:
    """Make these mails due now, at an operator's request, as far as they wait; return how many.

    A mail that is due within a lease may be claimed, and would be sent twice: it keeps its time, which is minutes away.
    Sent and failed mails stay as they are, because their content is deleted.
    """
    now = clock.now()
    unclaimed = waiting().filter(pk__in=mail_ids, next_attempt_at__gt=now + lease())
    retried = list(unclaimed.select_for_update().values_list("pk", "user_id", "kind"))
    waiting().filter(pk__in=[pk for pk, _, _ in retried]).update(next_attempt_at=now)
    for _, user_id, kind in retried:
        record_by(operator, Event.MAIL_RETRIED, user_id=user_id, detail=kind)
    transaction.on_commit(mail_queued.set)
    return len(retried)
