"""Export of personal data (GDPR articles 15 and 20): everything stored about a person, except secrets."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.admin.models import LogEntry

from latchkey.accounts.models import User
from latchkey.api_keys.models import ApiKey
from latchkey.audit.models import AuditEvent
from latchkey.authorization.models import UserRole
from latchkey.core.exceptions import InvalidToken
from latchkey.email_codes.models import OneTimeCode
from latchkey.factors.delayed_recovery import FactorRecovery
from latchkey.factors.models import RecoveryCode, TotpSecret
from latchkey.factors.tickets import Ticket
from latchkey.mail.models import Mail
from latchkey.passkeys.models import Passkey
from latchkey.rate_limits.keys import SIGN_IN_ACTIONS, account_digest
from latchkey.rate_limits.models import Attempt
from latchkey.sessions.models import Session

MAX_EVENTS = 10_000
"""The newest events, some 3 MB: as many as a year of hourly sign-ins makes. /api/me/events/ has all."""


@dataclass(frozen=True, slots=True)
class PersonalData:
    """The rows about one person, each kind oldest first, but events newest first."""

    account: User
    roles: Sequence[UserRole]
    sessions: Sequence[Session]
    events: Sequence[AuditEvent]
    mails: Sequence[Mail]
    codes: Sequence[OneTimeCode]
    totp: Sequence[TotpSecret]
    passkeys: Sequence[Passkey]
    recovery_codes: Sequence[RecoveryCode]
    tickets: Sequence[Ticket]
    recoveries: Sequence[FactorRecovery]
    api_keys: Sequence[ApiKey]
    attempts: Sequence[Attempt]
    actions: Sequence[LogEntry]
    changes: Sequence[LogEntry]


def export(user_id: int) -> PersonalData:
    """Return everything stored about the user, sessions that have ended but are not pruned included; 16 SELECTs.

    Secrets and their digests are left out: copies of personal data lie about, and must not be worth an attack. Raises
    InvalidToken if the account was deleted a moment ago.
    """
    account = User.objects.filter(pk=user_id).prefetch_related("groups", "user_permissions").first()
    if account is None:
        raise InvalidToken
    events = AuditEvent.objects.filter(user_id=user_id).order_by("-id")[:MAX_EVENTS]
    digests = [account_digest(account.email, action) for action in SIGN_IN_ACTIONS]
    about_users = LogEntry.objects.filter(content_type__app_label="latchkey", content_type__model="user")
    return PersonalData(
        account=account,
        roles=list(UserRole.objects.filter(user=user_id).select_related("role").order_by("granted_at", "id")),
        sessions=list(Session.objects.filter(user=user_id).order_by("created_at", "id")),
        events=[without_operator(event) for event in events],
        mails=list(Mail.objects.filter(user_id=user_id).order_by("id")),
        codes=list(OneTimeCode.objects.filter(user=user_id).order_by("id")),
        totp=list(TotpSecret.objects.filter(user=user_id)),
        passkeys=list(Passkey.objects.filter(user=user_id)),
        recovery_codes=list(RecoveryCode.objects.filter(user=user_id).order_by("id")),
        tickets=list(Ticket.objects.filter(user=user_id).order_by("id")),
        recoveries=list(FactorRecovery.objects.filter(user=user_id)),
        api_keys=list(ApiKey.objects.filter(user=user_id).defer("digest").order_by("id")),
        attempts=list(Attempt.objects.filter(account__in=digests).order_by("last_at")),
        actions=list(LogEntry.objects.filter(user=user_id).select_related("content_type").order_by("id")),
        changes=list(about_users.filter(object_id=str(user_id)).order_by("id")),
    )


def without_operator(event: AuditEvent) -> AuditEvent:
    """Return the event without the address and the device of an operator, who is another person."""
    if event.is_by_another:
        event.ip, event.user_agent = None, ""
    return event
