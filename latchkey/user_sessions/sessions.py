"""Where somebody is signed in.

End one's own sessions, from another device or from this one.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from latchkey.audit.events import Event
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import NotFound
from latchkey.core.user_agent import device_name
from latchkey.sessions.models import Session
from latchkey.sessions.sql import DELETE_OTHERS, DELETE_OWN


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A live session, as its owner sees it: where from, on what, since when, and until when without a refresh."""

    id: int
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ip: str | None
    device: str
    user_agent: str
    current: bool


def list_sessions(user_id: int, current_id: int) -> list[SessionInfo]:
    """Return every live session of the user, the one used last first; one SELECT.

    There are as many as the policy's sessions_per_user at most, 10,000 where an operator goes to the end of that.
    """
    live = Session.objects.live(clock.now()).filter(user=user_id).order_by("-rotated_at", "-id")
    return [
        SessionInfo(
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
NO_SESSION = -1
"""The id of no session."""


def end_session(user_id: int, session_id: int, client: ClientInfo) -> None:
    """End a live session of this user, whatever a refresh does to it meanwhile.

    Raises NotFound, alike for somebody else's, one that has ended, and none: one statement finds the row by its id.
    """
    if not _end(DELETE_OWN, user_id, client, id=session_id):
        raise NotFound


def end_other_sessions(user_id: int, client: ClientInfo, except_session_id: int = NO_SESSION) -> int:
    """End every live session of this user but the one that is spared; return how many there were."""
    return _end(DELETE_OTHERS, user_id, client, id=except_session_id)


def _end(statement: str, user_id: int, client: ClientInfo, **which: int) -> int:
    now = connection.ops.adapt_datetimefield_value(clock.now())
    parameters = {"user_id": user_id, "now": now, **which}
    return Session.objects.delete_and_record(statement, parameters, Event.SESSION_ENDED, client, REASON)
