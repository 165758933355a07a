"""Tell people what happened to their accounts: each event that may concern them is decided on once."""

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
RESET_PAGE = "/forgot-password/"
"""Where somebody whose password is known to another has a mail sent that sets a new one."""
UNVERIFIED_LIMIT, UNVERIFIED_WINDOW = 3, timedelta(hours=1)
"""Mails within such a while, as many as somebody can ask for, to an address of which nobody knows whose it is."""
BATCH = 20
"""Events in one transaction: on SQLite others wait for it meanwhile."""


def process_pending() -> int:
    """Decide about the oldest events that wait, and post the mails; return how many events there were.

    In one transaction, so that an event is told of once, whoever dies in the middle; and by one courier, as each takes
    rows that no other one holds. Raises DatabaseError.
    """
    waiting = AuditEvent.objects.filter(notification_pending=True).order_by("pk")
    if not waiting.exists():  # SQLite would wait for its writer, to find nothing to do
        return 0
    are_wanted = current_policy().notices and settings.MAIL_SERVER is not None
    with transaction.atomic():
        events = list(waiting.select_for_update(skip_locked=True)[:BATCH])
        if are_wanted:
            _enqueue_notices(events)
        AuditEvent.objects.filter(pk__in=[event.pk for event in events]).update(notification_pending=False)
    return len(events)


def _enqueue_notices(events: Sequence[AuditEvent]) -> None:
    people = User.objects.filter(is_active=True).in_bulk({event.user_id for event in events if event.user_id})
    for event in events:
        user, kind = people.get(event.user_id or 0), _kind(event)
        if user and kind and not _is_limited(user):
            enqueue(kind, user.email, _context(event, user), user.pk)


def _is_limited(user: User) -> bool:
    """Tell whether an address that nobody has confirmed got enough: else strangers could have us fill a mailbox."""
    if user.email_verified_at:
        return False
    of_late = Mail.objects.filter(user_id=user.pk, created_at__gt=clock.now() - UNVERIFIED_WINDOW)
    return of_late.count() >= UNVERIFIED_LIMIT


def _kind(event: AuditEvent) -> MailKind | None:
    """Return the mail about an event, None where there is none to be sent; a newer version may know more events."""
    if event.name in LOGIN_EVENTS:
        return MailKind.NEW_DEVICE if is_new_device(event) else None
    return KIND_BY_EVENT.get(event.name)


def _context(event: AuditEvent, user: User) -> dict[str, str]:
    """Return what a notice says: no secret, so that it may lie in a mailbox for years."""
    return {
        "username": user.safe_display_name,
        "when": f"{event.at:%Y-%m-%d %H:%M} UTC",
        "device": device_name(event.user_agent) if event.user_agent else "",
        "address": event.ip or "",
        "link": f"{settings.PUBLIC_URL}{RESET_PAGE}",
    }
