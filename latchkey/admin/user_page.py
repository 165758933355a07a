"""Panels of a user's page in the admin area: active sessions, recent events, and the available actions."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.core import clock
from latchkey.core.user_agent import device_name
from latchkey.sessions.models import Session


def device_label(user_agent: str) -> str:
    """Return a readable device name; '-' where no client is known, as after a command."""
    return device_name(user_agent) if user_agent else "-"


MAX_ROWS = 20
"""Maximum number of sessions and of events on the page; the lists have all of them."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session on the user's page; `end_url` is the confirmation page that ends it."""

    name: str
    user_agent: str
    address: str
    signed_in_at: datetime
    refreshed_at: datetime
    end_url: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event on the user's page."""

    at: datetime
    name: str
    device: str
    address: str
    why: str
    url: str


def live_session_rows(user: User) -> list[SessionRow]:
    """Return the newest active sessions of the user, the last used first."""
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
    """Return the newest events of the user, the newest first."""
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
    """Return the actions that apply to this user, with the labels of their buttons."""
    offered = {"deactivate_users": "Deactivate"} if user.is_active else {"reactivate_users": "Reactivate"}
    offered |= {"end_sessions": "End all sessions", "reset_rate_limits": "Unlock account"}
    offered |= {"send_reset_links": "Send password reset"} if user.is_active else {}
    return offered | ({} if user.email_verified_at else {"verify": "Mark e-mail as verified"})
