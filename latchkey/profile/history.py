"""What happened to one's own account."""

from dataclasses import dataclass
from datetime import datetime

from latchkey.audit.events import Event
from latchkey.audit.models import AuditEvent
from latchkey.core.user_agent import device_name

PAGE_SIZE = 100
WITH_REASON = frozenset({Event.SESSION_ENDED.value, Event.LOGIN_FAILED.value})
"""The events whose reason is for the person's eyes; other details are for operators."""


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """One event, as the person concerned sees it; failed sign-ins of strangers are among them."""

    id: int
    at: datetime
    event: str
    ip: str | None
    device: str
    session_id: int | None
    reason: str


def list_events(user_id: int, before: int | None = None) -> tuple[list[AccountEvent], int | None]:
    """Return the newest events, older than the one given, and where the next page begins; one SELECT by an index.

    Only rows of this user are looked at, so an id of somebody else's event is but a place in the order.
    """
    rows = AuditEvent.objects.filter(user_id=user_id).order_by("-id")
    older = list((rows if before is None else rows.filter(id__lt=before))[: PAGE_SIZE + 1])
    events = [
        AccountEvent(
            id=row.pk,
            at=row.at,
            event=row.name,
            ip=row.ip,
            device=device_name(row.user_agent) if row.user_agent else "",
            session_id=row.session_id,
            reason=row.detail if row.name in WITH_REASON else "",
        )
        for row in older[:PAGE_SIZE]
    ]
    return events, events[-1].id if len(older) > PAGE_SIZE else None
