"""Security history: the audit events of one's own account, newest first, in pages."""

from dataclasses import dataclass
from datetime import datetime

from latchkey.audit.events import Event
from latchkey.audit.models import AuditEvent
from latchkey.core.user_agent import device_name

PAGE_SIZE = 100
"""Events of one page."""

WITH_REASON = frozenset(
    {
        Event.SESSION_ENDED.value,
        Event.LOGIN_FAILED.value,
        Event.FACTOR_ADDED.value,
        Event.FACTOR_REMOVED.value,
        Event.FACTOR_REFUSED.value,
        Event.FACTOR_RECOVERY_CANCELLED.value,
        Event.RECOVERY_CODE_USED.value,
    }
)
"""Events whose reason the user may see; the details of others are for operators."""


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """An audit event as the account's owner sees it; failed sign-ins of other people are included.

    What an operator did has neither an address nor a device: those are the operator's.
    """

    id: int
    at: datetime
    event: str
    ip: str | None
    device: str
    session_id: int | None
    reason: str


def list_events(user_id: int, before: int | None = None) -> tuple[list[AccountEvent], int | None]:
    """Return one page of events older than `before`, and the `before` of the next page, None at the end; one SELECT.

    Only rows of this user are read, so the id of another user's event is no more than a position (keyset pagination).
    """
    rows = AuditEvent.objects.filter(user_id=user_id).order_by("-id")
    page = list((rows if before is None else rows.filter(id__lt=before))[: PAGE_SIZE + 1])
    events = [
        AccountEvent(
            id=row.pk,
            at=row.at,
            event=row.name,
            ip=None if row.is_by_another else row.ip,
            device=device_name(row.user_agent) if row.user_agent and not row.is_by_another else "",
            session_id=row.session_id,
            reason=row.detail if row.name in WITH_REASON else "",
        )
        for row in page[:PAGE_SIZE]
    ]
    return events, events[-1].id if len(page) > PAGE_SIZE else None
