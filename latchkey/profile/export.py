"""Everything that is held about a person, for the person."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.admin.models import LogEntry

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.core.exceptions import InvalidToken
from latchkey.email_codes.models import OneTimeCode
from latchkey.mail.models import Mail
from latchkey.rate_limits.attempts import account_digest
from latchkey.rate_limits.models import Attempt
from latchkey.sessions.models import Session

MAX_EVENTS = 10_000
"""The newest ones, some 3 MB; a person has as many in a year who signs in every hour. /api/me/events/ has all."""


@dataclass(frozen=True, slots=True)
class PersonalData:
    """The rows about one person, each kind in the order in which they came, but the newest event first."""

    account: User
    sessions: Sequence[Session]
    events: Sequence[AuditEvent]
    mails: Sequence[Mail]
    codes: Sequence[OneTimeCode]
    attempts: Sequence[Attempt]
    actions: Sequence[LogEntry]
    changes: Sequence[LogEntry]


def export(user_id: int) -> PersonalData:
    """Return what is held, ended sessions that await pruning included; ten SELECTs.

    What is secret stays here: a copy of one's data lies about, and a digest in it would be worth an attack. Raises
    InvalidToken where the person has just left.
    """
    account = User.objects.filter(pk=user_id).prefetch_related("groups", "user_permissions").first()
    if account is None:
        raise InvalidToken
    of_users = LogEntry.objects.filter(content_type__app_label="latchkey", content_type__model="user")
    return PersonalData(
        account=account,
        sessions=list(Session.objects.filter(user=user_id).order_by("created_at", "id")),
        events=list(AuditEvent.objects.filter(user_id=user_id).order_by("-id")[:MAX_EVENTS]),
        mails=list(Mail.objects.filter(user_id=user_id).order_by("id")),
        codes=list(OneTimeCode.objects.filter(user=user_id).order_by("id")),
        attempts=list(Attempt.objects.filter(account=account_digest(account.email)).order_by("last_at")),
        actions=list(LogEntry.objects.filter(user=user_id).select_related("content_type").order_by("id")),
        changes=list(of_users.filter(object_id=str(user_id)).order_by("id")),
    )
