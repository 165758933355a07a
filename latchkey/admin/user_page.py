"""What pages call a device.

What a user's page shows beside the form: where the user is signed in, and what happened last.
"""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.core import clock
from latchkey.core.user_agent import UNKNOWN, device_name
from latchkey.sessions.models import Session


def device_label(user_agent: str) -> str:
    """Return the device's name; what it calls itself, where nobody knows a name for that."""
    if not user_agent:
        return "-"
    name = device_name(user_agent)
    return user_agent if name == UNKNOWN else name


MAX_ROWS = 20
"""Sessions and events; the rest is in their lists."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    name: str
    user_agent: str
    address: str
    signed_in_at: datetime
    refreshed_at: datetime
    end_url: str


@dataclass(frozen=True, slots=True)
class EventRow:
    at: datetime
    name: str
    device: str
    address: str
    why: str
    url: str


def live_session_rows(user: User) -> list[SessionRow]:
    """Return where the user is signed in, the last used first; each with the page that asks before it ends it."""
    live = Session.objects.live(clock.now()).filter(user=user).order_by("-rotated_at")[:MAX_ROWS]
    return [
        SessionRow(
            device_label(session.user_agent),
            session.user_agent,
            session.ip or "",
            session.created_at,
            session.rotated_at,
            f"{reverse('admin:latchkey_session_delete', args=[session.pk])}?user={user.pk}",
        )
        for session in live
    ]


def recent_events(user: User) -> list[EventRow]:
    """Return what happened to the account, the newest first."""
    return [
        EventRow(
            event.at,
            event.name,
            device_label(event.user_agent),
            event.ip or "",
            event.detail,
            reverse("admin:latchkey_auditevent_change", args=[event.pk]),
        )
        for event in AuditEvent.objects.filter(user_id=user.pk).order_by("-pk")[:MAX_ROWS]
    ]


def available_actions(user: User) -> dict[str, str]:
    """Return the actions that would do something to this user, with what their buttons say."""
    offered = {"deactivate_users": "Deactivate"} if user.is_active else {"reactivate_users": "Reactivate"}
    offered |= {"end_sessions": "End all sessions", "reset_rate_limits": "Unlock account"}
    offered |= {"send_reset_links": "Send password reset"} if user.is_active else {}
    return offered | ({} if user.email_verified_at else {"verify": "Mark as verified"})
