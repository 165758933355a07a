"""Mails of a recovery: a warning each day until it is due, then the link and the code that end it.

The mail workers of all nodes look for what is due. The row of the user is locked, and workers skip each other's locked
rows, so each mail is written once. Each recovery has a transaction of its own.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from latchkey.accounts.models import User
from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.core.user_agent import device_name
from latchkey.db.clocks import earlier_now
from latchkey.email_codes.models import Purpose
from latchkey.email_codes.one_time_codes import LIFETIMES, issue
from latchkey.factor_recovery.cancel import cancel_link
from latchkey.factors.delayed_recovery import FactorRecovery, cancel_recovery
from latchkey.mail.models import MailKind
from latchkey.mail.outbox import enqueue

INTERVAL = timedelta(days=1)
"""Between two warnings."""

BATCH = 20
"""Recoveries that are looked at before other work of the mail worker."""

CHANGED = (
    ~Q(user__credential_version=F("credential_version"))
    | ~Q(user__email=F("email"))
    | Q(user__is_active=False)
    | Q(user__is_staff=True)
    | Q(user__email_verified_at=None)
)
"""The recoveries that are void, because their account has changed."""


def process_recoveries() -> int:
    """Do what is due: warn, send the code, or delete what is void; return the number of recoveries. Once per worker.

    Raises DatabaseError.
    """
    pending = FactorRecovery.objects.all()
    if is_possible():
        pending = pending.filter(Q(next_notice_at__lte=clock.now()) | CHANGED)
    user_ids = list(pending.order_by("next_notice_at").values_list("user_id", flat=True)[:BATCH])
    if not user_ids:
        return 0
    now = earlier_now()
    return sum(_process(user_id, now) for user_id in user_ids)


def is_possible() -> bool:
    """Return whether the policy allows recoveries, and there is a mail server to warn by."""
    return current_policy().recovery_delay > 0 and settings.MAIL_SERVER is not None


@transaction.atomic
def _process(user_id: int, now: datetime) -> bool:
    """Do what is due for one user; return False if nothing is, as another worker was faster."""
    user = User.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=user_id).first()
    recovery = FactorRecovery.objects.filter(user_id=user_id).first() if user else None
    if user is None or recovery is None:
        return False
    if reason := _end_reason(recovery, user, now):
        return cancel_recovery(user_id, reason)
    late = now - recovery.next_notice_at
    if late < timedelta(0):
        return False
    if late > INTERVAL:  # no worker ran, and nobody could be warned: these days do not count
        recovery.due_at += late
    if recovery.due_at <= now:
        recovery.code_sent_at, recovery.next_notice_at = now, now + LIFETIMES[Purpose.FACTOR_RECOVERY]
        _send_code(recovery, user)
    else:
        recovery.next_notice_at = min(now + INTERVAL, recovery.due_at)
        send_warning(recovery, user)
    recovery.save(update_fields=["due_at", "code_sent_at", "next_notice_at"])
    return True


def _end_reason(recovery: FactorRecovery, user: User, now: datetime) -> str:
    """Return why a recovery has to end, '' if it goes on."""
    if not is_possible():
        return "turned off"
    same = (recovery.credential_version, recovery.email) == (user.credential_version, user.email)
    if not (same and user.is_active and user.email_verified_at) or user.is_staff:
        return "account changed"
    return "expired" if recovery.code_sent_at and recovery.next_notice_at <= now else ""


def send_warning(recovery: FactorRecovery, user: User) -> None:
    """Queue the mail that tells the owner who asks for the recovery, and until when it can be cancelled."""
    enqueue(MailKind.FACTOR_RECOVERY_REQUESTED, user.email, _context(recovery, user), user.pk)


def _send_code(recovery: FactorRecovery, user: User) -> None:
    """Queue the mail with the link and the code that remove the factors."""
    issued = issue(user, Purpose.FACTOR_RECOVERY)
    context = {
        **_context(recovery, user),
        "link": issued.link,
        "code": issued.code,
        "days": str(LIFETIMES[Purpose.FACTOR_RECOVERY].days),
        "expires_at": issued.expires_at.isoformat(),
    }
    enqueue(MailKind.FACTOR_RECOVERY, user.email, context, user.pk)


def _context(recovery: FactorRecovery, user: User) -> dict[str, str]:
    """Return what both mails say of the request; the address is verified, so the device and the IP address, too."""
    link = cancel_link(recovery)
    return {
        "username": user.safe_display_name,
        "when": f"{recovery.requested_at:%Y-%m-%d %H:%M} UTC",
        "due": f"{recovery.due_at:%Y-%m-%d %H:%M} UTC",
        "device": device_name(recovery.user_agent) if recovery.user_agent else "",
        "address": recovery.ip or "",
        "link": link,
        "cancel_link": link,
    }
