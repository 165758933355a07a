"""Security notices: mails to an account's owner about a new device, a new password or a reused refresh token.

A background worker decides about each such audit event exactly once, so no request waits for it.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.models import AuditEvent
from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.core.user_agent import device_name
from latchkey.mail.models import Mail, MailKind
from latchkey.mail.new_device import LOGIN_EVENTS, is_new_device
from latchkey.mail.outbox import enqueue

KIND_BY_EVENT = {
    Event.SESSION_REPLAYED.value: MailKind.SESSION_REPLAYED,
    Event.PASSWORD_CHANGED.value: MailKind.PASSWORD_CHANGED,
}
"""The events that always have a notice; that of a sign-in depends on the device."""

RESET_PAGE = "/forgot-password/"
"""The page that notices link to: somebody else may know the password, so the owner sets a new one."""

UNVERIFIED_LIMIT, UNVERIFIED_WINDOW = 3, timedelta(hours=1)
"""Mails per window to an unverified address, which may be a stranger's: as many as a person can request."""

BATCH = 20
"""Events per transaction: on SQLite all other writers wait for it."""


def process_pending() -> int:
    """Decide about the oldest pending events and queue their mails; return the number of events.

    One transaction, so that an event has one notice even if the process dies in the middle. Workers that run at the
    same time skip each other's locked rows. Raises DatabaseError.
    """
    pending = AuditEvent.objects.filter(notification_pending=True).order_by("pk")
    if not pending.exists():  # on SQLite the transaction would wait for the writer, to find nothing to do
        return 0
    are_enabled = current_policy().notices and settings.MAIL_SERVER is not None
    with transaction.atomic():
        events = list(pending.select_for_update(skip_locked=True)[:BATCH])
        if are_enabled:
            _enqueue_notices(events)
        AuditEvent.objects.filter(pk__in=[event.pk for event in events]).update(notification_pending=False)
    return len(events)


def _enqueue_notices(events: Sequence[AuditEvent]) -> None:
    ids = {event.user_id for event in events if event.user_id is not None}
    users = User.objects.filter(is_active=True).in_bulk(ids)
    for event in events:
        user, kind = None if event.user_id is None else users.get(event.user_id), _kind(event)
        if user and kind and not _is_limited(user):
            enqueue(kind, user.email, _context(event, user), user.pk)


def _is_limited(user: User) -> bool:
    """Return whether an unverified address has had enough mails: a stranger's mailbox must not be flooded."""
    if user.email_verified_at:
        return False
    recent = Mail.objects.filter(user_id=user.pk, created_at__gt=clock.now() - UNVERIFIED_WINDOW)
    return recent.count() >= UNVERIFIED_LIMIT


def _kind(event: AuditEvent) -> MailKind | None:
    """Return the mail about an event, None if there is none. A newer version beside this one may have more events."""
    if event.name in LOGIN_EVENTS:
        return MailKind.NEW_DEVICE if is_new_device(event) else None
    return KIND_BY_EVENT.get(event.name)


def _context(event: AuditEvent, user: User) -> dict[str, str]:
    """Return the template's values: no secret, because a notice may stay in a mailbox for years.

    The client of an operator's change is left out: it is not the user's.
    """
    ip, user_agent = (None, "") if event.is_by_another else (event.ip, event.user_agent)
    return {
        "username": user.safe_display_name,
        "when": f"{event.at:%Y-%m-%d %H:%M} UTC",
        "device": device_name(user_agent) if user_agent else "",
        "address": ip or "",
        "link": f"{settings.PUBLIC_URL}{RESET_PAGE}",
    }
