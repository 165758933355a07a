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


def shown(user_agent: str) -> str:
    """Return the device's name; what it calls itself, where nobody knows a name for that."""
    if not user_agent:
        return "-"
    name = device_name(user_agent)
    return user_agent if name == UNKNOWN else name


SHOWN = 20
"""Sessions and events; the rest is in their lists."""


@dataclass(frozen=True, slots=True)
class Device:
    name: str
    user_agent: str
    address: str
    signed_in_at: datetime
    refreshed_at: datetime
    end: str


@dataclass(frozen=True, slots=True)
class Happening:
    at: datetime
    name: str
    device: str
    address: str
    why: str
    page: str


def devices_of(user: User) -> list[Device]:
    """Return where the user is signed in, the last used first; each with the page that asks before it ends it."""
    live = Session.objects.live(clock.now()).filter(user=user).order_by("-rotated_at")[:SHOWN]
    return [
        Device(
            shown(session.user_agent),
            session.user_agent,
            session.ip or "",
            session.created_at,
            session.rotated_at,
            f"{reverse('admin:latchkey_session_delete', args=[session.pk])}?user={user.pk}",
        )
        for session in live
    ]


def happenings_of(user: User) -> list[Happening]:
    """Return what happened to the account, the newest first."""
    return [
        Happening(
            event.at,
            event.name,
            shown(event.user_agent),
            event.ip or "",
            event.detail,
            reverse("admin:latchkey_auditevent_change", args=[event.pk]),
        )
        for event in AuditEvent.objects.filter(user_id=user.pk).order_by("-pk")[:SHOWN]
    ]


def offered_to(user: User) -> dict[str, str]:
    """Return the actions that would do something to this user, with what their buttons say."""
    offered = {"deactivate_users": "Deactivate"} if user.is_active else {"reactivate_users": "Reactivate"}
    offered |= {"end_sessions": "End all sessions", "lift_waits_of": "Lift waits"}
    offered |= {"send_links": "Send a reset"} if user.is_active else {}
    return offered | ({} if user.email_verified_at else {"verify": "Mark as verified"})
