"""End one's own sessions, from another device or from this one."""

from django.db import connection

from latchkey.audit.events import Event
from latchkey.core import clock
from latchkey.core.client import Client
from latchkey.core.errors import NotFound
from latchkey.sessions.models import Session
from latchkey.sessions.statements import END_OWN, END_OWN_BUT

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
