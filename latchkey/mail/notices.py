"""Security notices: mails to an account's owner about devices, passwords, refresh tokens, factors and API keys.

A background worker decides about each such audit event exactly once, so no request waits for it.
"""

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.models import AuditEvent
from latchkey.conf.policy import current_policy
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import TooManyAttempts
from latchkey.core.user_agent import device_name
from latchkey.factors import recovery_codes
from latchkey.mail.models import MailKind
from latchkey.mail.new_device import LOGIN_EVENTS, is_new_device
from latchkey.mail.outbox import enqueue
from latchkey.rate_limits.attempts import charge
from latchkey.rate_limits.keys import notice_key

KIND_BY_EVENT = {
    Event.SESSION_REPLAYED.value: MailKind.SESSION_REPLAYED,
    Event.PASSWORD_CHANGED.value: MailKind.PASSWORD_CHANGED,
    Event.FACTOR_ADDED.value: MailKind.FACTOR_ADDED,
    Event.FACTOR_REMOVED.value: MailKind.FACTOR_REMOVED,
    Event.FACTOR_RESET.value: MailKind.FACTOR_RESET,
    Event.RECOVERY_CODE_USED.value: MailKind.RECOVERY_CODE_USED,
    Event.RECOVERY_CODES_RENEWED.value: MailKind.RECOVERY_CODES_RENEWED,
    Event.API_KEY_CREATED.value: MailKind.API_KEY_CREATED,
}
"""The events that always have a notice; that of a sign-in depends on the device."""

WITH_FACTOR = frozenset({Event.FACTOR_ADDED.value, Event.FACTOR_REMOVED.value})
"""Events whose detail is the kind of a factor."""

RESET_PAGE = "/forgot-password/"
"""The page that notices link to: somebody else may know the password, so the owner sets a new one."""

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
        decided = _enqueue_notices(events) if are_enabled else len(events)
        AuditEvent.objects.filter(pk__in=[event.pk for event in events[:decided]]).update(notification_pending=False)
    return decided


def _enqueue_notices(events: Sequence[AuditEvent]) -> int:
    """Queue the notices about these events, at most up to the first that is charged; return how many were decided.

    Requests lock a row of rate limits for each network, too: a second one in this transaction could be a deadlock.
    """
    owners = User.objects.filter(is_active=True).in_bulk(
        {event.user_id for event in events if event.user_id is not None}
    )
    for number, event in enumerate(events, 1):
        user = owners.get(event.user_id) if event.user_id is not None else None
        kind = _kind(event) if user else None
        if user is None or kind is None:
            continue
        if user.email_verified_at or may_notify_stranger(user.email, ClientInfo(event.ip, event.user_agent)):
            enqueue(kind, user.email, _context(event, user), user.pk)
        if not user.email_verified_at:
            return number
    return len(events)


def may_notify_stranger(email: str, client: ClientInfo) -> bool:
    """Return whether an address that was never confirmed may get one more notice, and count it.

    It may be a stranger's: their mailbox must not be flooded, and the network that causes such mails has a limit.
    """
    try:
        charge(notice_key(email, client), client)
    except TooManyAttempts:
        return False
    return True


def _kind(event: AuditEvent) -> MailKind | None:
    """Return the mail about an event, None if there is none. A newer version beside this one may have more events."""
    if event.name in LOGIN_EVENTS:
        return MailKind.NEW_DEVICE if is_new_device(event) else None
    return KIND_BY_EVENT.get(event.name)


def _context(event: AuditEvent, user: User) -> dict[str, str]:
    """Return the template's values: no secret, because a notice may stay in a mailbox for years.

    The client of an operator's change is left out: it is not the user's. An address that was never confirmed gets the
    same text whoever causes it, without device and IP address.
    """
    ip, user_agent = (None, "") if event.is_by_another else (event.ip, event.user_agent)
    is_owner = user.email_verified_at is not None
    return {
        "username": user.safe_display_name,
        "when": f"{event.at:%Y-%m-%d %H:%M} UTC",
        "device": device_name(user_agent) if user_agent and is_owner else "",
        "address": ip or "" if is_owner else "",
        "link": f"{settings.PUBLIC_URL}{RESET_PAGE}",
        **_detail_context(event),
    }


def _detail_context(event: AuditEvent) -> dict[str, str]:
    """Return what a mail says of the detail: the kind of a factor, the number of recovery codes left, or a key's id.

    An event of a version beside this one may have another detail: then the mail says less.
    """
    if event.name in WITH_FACTOR:
        return {"factor": event.detail}
    if event.name == Event.API_KEY_CREATED.value:
        return {"key_id": event.detail}
    left = event.detail.partition(" ")[0]
    if event.name != Event.RECOVERY_CODE_USED.value or not left.isdecimal():
        return {}
    return {"left": left, "few": "yes" if int(left) <= recovery_codes.LOW else ""}
