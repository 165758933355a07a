"""Tell people what happened to their accounts: each event that may concern them is decided on once."""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.models import AuditEvent
from latchkey.conf.policy import current
from latchkey.core import clock
from latchkey.core.user_agent import device_name
from latchkey.mail.models import Kind, Mail
from latchkey.mail.new_device import SIGN_INS, is_new
from latchkey.mail.outbox import post

KINDS = {
    Event.SESSION_REPLAYED.value: Kind.SESSION_REPLAYED,
    Event.PASSWORD_CHANGED.value: Kind.PASSWORD_CHANGED,
}
ASK_FOR_RESET = "/forgot-password/"
"""Where somebody whose password is known to another has a mail sent that sets a new one."""
MOST_TO_UNCONFIRMED, WHILE = 3, timedelta(hours=1)
"""Mails within such a while, as many as somebody can ask for, to an address of which nobody knows whose it is."""
BATCH = 20
"""Events in one transaction: on SQLite others wait for it meanwhile."""


def tell() -> int:
    """Decide about the oldest events that wait, and post the mails; return how many events there were.

    In one transaction, so that an event is told of once, whoever dies in the middle; and by one courier, as each takes
    rows that no other one holds. Raises DatabaseError.
    """
    waiting = AuditEvent.objects.filter(awaits_notice=True).order_by("pk")
    if not waiting.exists():  # SQLite would wait for its writer, to find nothing to do
        return 0
    are_wanted = current().notices and settings.MAIL_SERVER is not None
    with transaction.atomic():
        events = list(waiting.select_for_update(skip_locked=True)[:BATCH])
        if are_wanted:
            _post(events)
        AuditEvent.objects.filter(pk__in=[event.pk for event in events]).update(awaits_notice=False)
    return len(events)


def _post(events: Sequence[AuditEvent]) -> None:
    people = User.objects.filter(is_active=True).in_bulk({event.user_id for event in events if event.user_id})
    for event in events:
        user, kind = people.get(event.user_id or 0), _kind(event)
        if user and kind and not _has_many(user):
            post(kind, user.email, _facts(event, user), user.pk)


def _has_many(user: User) -> bool:
    """Tell whether an address that nobody has confirmed got enough: else strangers could have us fill a mailbox."""
    if user.email_verified_at:
        return False
    of_late = Mail.objects.filter(user_id=user.pk, created_at__gt=clock.now() - WHILE)
    return of_late.count() >= MOST_TO_UNCONFIRMED


def _kind(event: AuditEvent) -> Kind | None:
    """Return the mail about an event, None where there is none to be sent; a newer version may know more events."""
    if event.name in SIGN_INS:
        return Kind.NEW_DEVICE if is_new(event) else None
    return KINDS.get(event.name)


def _facts(event: AuditEvent, user: User) -> dict[str, str]:
    """Return what a notice says: no secret, so that it may lie in a mailbox for years."""
    return {
        "username": user.greeted_as,
        "when": f"{event.at:%Y-%m-%d %H:%M} UTC",
        "device": device_name(event.user_agent) if event.user_agent else "",
        "address": event.ip or "",
        "link": f"{settings.PUBLIC_URL}{ASK_FOR_RESET}",
    }
