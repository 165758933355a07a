"""Sign-out: end the session of a refresh token, some sessions, or all sessions of all users."""

from uuid import UUID

from django.db import transaction
from django.db.models import F

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import COMMAND_LINE, Operator, record
from latchkey.core.client import ClientInfo
from latchkey.rate_limits.in_memory import count_invalid_token
from latchkey.sessions.models import Session
from latchkey.sessions.sql import DELETE_BY_ID, DELETE_BY_SELECTOR
from latchkey.tokens.refresh_token import refresh_token_keys, selector, was_never_issued


def logout(presented: UUID, client: ClientInfo, reason: str = "logout") -> None:
    """End the session of a refresh token. Idempotent: an unknown token is no error (RFC 7009 section 2.2).

    The selector alone decides, so that an old token of the session ends it, too: it would at refresh, and after a lost
    response it may be the only one that the client has. Raises TooManyAttempts where a client sends tokens that were
    never issued (RFC 7009 section 5).
    """
    token = {"selector": selector(presented)}
    ended = Session.objects.delete_and_record(DELETE_BY_SELECTOR, token, Event.SESSION_ENDED, client, reason)
    if not ended and was_never_issued(refresh_token_keys(), presented):
        count_invalid_token(client)


def end_replaced_sessions(presented: list[UUID], client: ClientInfo) -> None:
    """End the sessions of these refresh tokens, in whose place the client has just opened another (ASVS 7.2.4)."""
    for token in presented:
        Session.objects.delete_and_record(
            DELETE_BY_SELECTOR, {"selector": selector(token)}, Event.SESSION_ENDED, client, "replaced"
        )


def end_sessions(session_ids: list[int], reason: str, operator: Operator = COMMAND_LINE) -> int:
    """End these sessions and their access tokens at an operator's request; return how many there were."""
    events = [
        Session.objects.delete_and_record(
            DELETE_BY_ID,
            {"id": id_},
            Event.SESSION_ENDED,
            operator.client,
            reason,
            operator.user_id,
            operator.client_id,
        )
        for id_ in session_ids
    ]
    return sum(events)


@transaction.atomic
def end_all_sessions(reason: str) -> int:
    """End all sessions of all users by one statement; return the number of users.

    The raised version also invalidates access tokens, the admin's cookies, and sessions out of a restored backup.
    """
    users = User.objects.update(credential_version=F("credential_version") + 1)
    record(Event.USER_SIGNED_OUT_EVERYWHERE, reason=reason)
    return users
