"""One's own sessions: list the signed-in devices, end one of them, end all others.

A user who has lost a device, or does not recognize one, can sign it out from another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from latchkey.audit.events import Event
from latchkey.audit.log import Operator
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import NotFound
from latchkey.core.user_agent import device_name
from latchkey.sessions.models import Session
from latchkey.sessions.sql import DELETE_OTHERS, DELETE_OWN
from latchkey.tokens.authentication_methods import Proof, acr, amr

REASON = "devices"
"""Why a session ended, in the audit event: its user ended it from the list of devices."""

NO_SESSION = -1
"""The id of no session."""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A live session as its owner sees it: device, address, sign-in, last refresh, and expiry without another one.

    amr and acr are what its owner has proved (tokens/authentication_methods.py), last at authenticated_at.
    """

    id: int
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ip: str | None
    device: str
    user_agent: str
    current: bool
    amr: Sequence[str]
    acr: str
    authenticated_at: datetime


def list_sessions(user_id: int, current_id: int) -> list[SessionInfo]:
    """Return every live session of the user, the most recently used first; one SELECT.

    The list is not paginated: the policy's sessions_per_user is its limit, 10,000 at the highest.
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
            amr=amr(Proof(session.proof)),
            acr=acr(Proof(session.proof)),
            authenticated_at=session.authenticated_at or session.created_at,
        )
        for session in live.defer("selector", "digest", "next_digest")
    ]


def end_session(user_id: int, session_id: int, client: ClientInfo) -> None:
    """End a live session of this user, also while it is being refreshed.

    Raises NotFound, the same for another user's session, an ended one, and an unknown id.
    """
    if not _end(DELETE_OWN, user_id, client, id=session_id):
        raise NotFound


def end_session_of(user_id: int, session_id: int, operator: Operator) -> None:
    """End a live session of this user at an operator's request, also while it is being refreshed; raises NotFound."""
    parameters = {"user_id": user_id, "now": _now(), "id": session_id}
    reason, by = operator.reason(), (operator.user_id, operator.client_id)
    if not Session.objects.delete_and_record(DELETE_OWN, parameters, Event.SESSION_ENDED, operator.client, reason, *by):
        raise NotFound


def end_other_sessions(user_id: int, client: ClientInfo, except_session_id: int = NO_SESSION) -> int:
    """End every live session of this user except one; return the number of ended sessions."""
    return _end(DELETE_OTHERS, user_id, client, id=except_session_id)


def _end(statement: str, user_id: int, client: ClientInfo, **condition: int) -> int:
    parameters = {"user_id": user_id, "now": _now(), **condition}
    return Session.objects.delete_and_record(statement, parameters, Event.SESSION_ENDED, client, REASON)


def _now() -> Any:
    return connection.ops.adapt_datetimefield_value(clock.now())
