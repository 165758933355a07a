"""Where somebody is signed in.

End one's own sessions, from another device or from this one.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from latchkey.audit.events import Event
from latchkey.core import clock
from latchkey.core.client import Client
from latchkey.core.exceptions import NotFound
from latchkey.core.user_agent import device_name
from latchkey.sessions.models import Session
from latchkey.sessions.sql import END_OWN, END_OWN_BUT


@dataclass(frozen=True, slots=True)
class Device:
    """A live session, as its owner sees it: where from, on what, since when, and until when without a refresh."""

    id: int
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ip: str | None
    device: str
    user_agent: str
    current: bool


def devices(user_id: int, current_id: int) -> list[Device]:
    """Return every live session of the user, the one used last first; one SELECT.

    There are as many as the policy's sessions_per_user at most, 10,000 where an operator goes to the end of that.
    """
    live = Session.objects.live(clock.now()).filter(user=user_id).order_by("-rotated_at", "-id")
    return [
        Device(
            id=session.pk,
            created_at=session.created_at,
            last_used_at=session.rotated_at,
            expires_at=session.expires_at,
            ip=session.ip,
            device=device_name(session.user_agent),
            user_agent=session.user_agent,
            current=session.pk == current_id,
        )
        for session in live.defer("selector", "digest", "next_digest")
    ]


REASON = "devices"
NONE = -1
"""The id of no session."""


def end_own(user_id: int, session_id: int, client: Client) -> None:
    """End a live session of this user, whatever a refresh does to it meanwhile.

    Raises NotFound, alike for somebody else's, one that has ended, and none: one statement finds the row by its id.
    """
    if not _end(END_OWN, user_id, client, id=session_id):
        raise NotFound


def end_all_own(user_id: int, client: Client, spared: int = NONE) -> int:
    """End every live session of this user but the one that is spared; return how many there were."""
    return _end(END_OWN_BUT, user_id, client, id=spared)


def _end(statement: str, user_id: int, client: Client, **which: int) -> int:
    now = connection.ops.adapt_datetimefield_value(clock.now())
    parameters = {"user_id": user_id, "now": now, **which}
    return Session.objects.end(statement, parameters, Event.SESSION_ENDED, client, REASON)
