"""Sign out."""

from uuid import UUID

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import Client
from latchkey.sessions.models import Session
from latchkey.tokens.refresh_token import selector


def logout(presented: UUID, client: Client) -> None:
    """End the session that the token belongs to; unknown and ended ones are fine (RFC 7009 section 2.2).

    The selector alone decides: a spent token of the session would end it at refresh too, and after a
    lost response a spent one may be all that the client has.
    """
    ended, _ = Session.objects.filter(selector=selector(presented)).delete()
    if ended:
        record(Event.SESSION_ENDED, client, reason="logout")


def end(session_ids: list[int], reason: str) -> int:
    """End these sessions at once, access tokens included; return how many there were."""
    ended, _ = Session.objects.filter(pk__in=session_ids).delete()
    for session_id in session_ids:
        record(Event.SESSION_ENDED, session_id=session_id, reason=reason)
    return ended
