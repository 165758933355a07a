"""Request for a recovery: who knows the password, and has lost every second factor, starts the days of waiting.

The password alone must not be enough, and the mailbox alone must not be either. Therefore the request needs the ticket
of a right password, and ends with a mail; and the owner, who may be another person, is warned at once and each day.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidTicket, RecoveryUnavailable
from latchkey.factor_recovery.reminders import INTERVAL, send_warning
from latchkey.factors.delayed_recovery import FactorRecovery, cancel_recovery
from latchkey.factors.locking import lock_user
from latchkey.factors.tickets import TicketState
from latchkey.mail.outbox import require_mail_server
from latchkey.rate_limits.attempts import charge, withdraw
from latchkey.rate_limits.keys import mail_key
from latchkey.sign_in.second_factor import find_ticket


def request_recovery(ticket: str, client: ClientInfo) -> datetime:
    """Start a recovery for the user of a ticket, and return when the mail with the code is sent at the earliest.

    While one runs nothing changes, and its time is returned. The ticket can still be used for a second factor. Raises
    RecoveryUnavailable where the policy is off, for an address that was never verified, and for staff, whose factors a
    superuser resets; ServiceUnavailable without a mail server; InvalidTicket; and TooManyAttempts, as it sends a mail.
    """
    days = current_policy().recovery_delay
    if not days:
        raise RecoveryUnavailable
    require_mail_server()
    state, user = find_ticket(ticket)
    if user.email_verified_at is None or user.is_staff:
        raise RecoveryUnavailable
    running = find_running(user.pk)
    return running.due_at if running else _start(state, user, timedelta(days=days), client)


def find_running(user_id: int) -> FactorRecovery | None:
    """Return the recovery of a user that waits, or whose code can still be used; None if there is none."""
    same_account = Q(user__credential_version=F("credential_version"), user__email=F("email"))
    unused = Q(code_sent_at=None) | Q(next_notice_at__gt=clock.now())
    return FactorRecovery.objects.filter(same_account, unused, user_id=user_id).first()


@transaction.atomic
def _start(state: TicketState, user: User, delay: timedelta, client: ClientInfo) -> datetime:
    """Store the recovery, and send the first warning; of two requests at once one does."""
    charged = charge(mail_key(user.email, client), client)
    lock_user(user.pk)
    current, now = state.current_user(), clock.now().replace(microsecond=0)
    if current is None:
        raise InvalidTicket  # the account has changed since the ticket was looked up
    if running := find_running(user.pk):
        withdraw(charged)  # another request was faster, and sent the mail
        return running.due_at
    cancel_recovery(user.pk, "replaced")  # one that is void, and that the mail worker has not found yet
    started = FactorRecovery.objects.create(
        user=current,
        credential_version=current.credential_version,
        email=current.email,
        requested_at=now,
        due_at=now + delay,
        next_notice_at=now + INTERVAL,
        ip=client.address,
        user_agent=client.user_agent,
    )
    record(Event.FACTOR_RECOVERY_REQUESTED, client, user_id=user.pk)
    send_warning(started, current)
    return started.due_at
