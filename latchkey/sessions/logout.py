"""Sign out."""

from uuid import UUID

from django.db import transaction
from django.db.models import F

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import ClientInfo
from latchkey.rate_limits.in_memory import count_invalid_token
from latchkey.sessions.models import Session
from latchkey.sessions.sql import DELETE_BY_ID, DELETE_BY_SELECTOR
from latchkey.tokens.refresh_token import refresh_token_keys, selector, was_never_issued


def logout(presented: UUID, client: ClientInfo, reason: str = "logout") -> None:
    """End the session that the token belongs to; unknown and ended ones are fine (RFC 7009 section 2.2).

    The selector alone decides: a spent token of the session would end it at refresh too, and after a
    lost response a spent one may be all that the client has. Raises TooManyAttempts where a client makes
    tokens up (RFC 7009 section 5).
    """
    token = {"selector": selector(presented)}
    ended = Session.objects.delete_and_record(DELETE_BY_SELECTOR, token, Event.SESSION_ENDED, client, reason)
    if not ended and was_never_issued(refresh_token_keys(), presented):
        count_invalid_token(client)


def end_sessions(session_ids: list[int], reason: str) -> int:
    """End these sessions at once, access tokens included; return how many there were."""
    events = [
        Session.objects.delete_and_record(DELETE_BY_ID, {"id": id_}, Event.SESSION_ENDED, reason=reason)
        for id_ in session_ids
    ]
    return sum(events)


@transaction.atomic
def end_all_sessions(reason: str) -> int:
    """End every session of everybody, in one statement however many there are; return how many users there are.

    Raising the version shuts out access tokens and the admin's cookies too, and sessions that a restored backup
    brought back.
    """
    touched = User.objects.update(credential_version=F("credential_version") + 1)
    record(Event.USER_SIGNED_OUT_EVERYWHERE, reason=reason)
    return touched
