"""Revoke a token (RFC 7009): its session ends."""

from latchkey.audit.events import Event
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidToken
from latchkey.sessions.logout import logout
from latchkey.sessions.models import Session
from latchkey.sessions.sql import DELETE_BY_ID
from latchkey.signing_keys import key_set as ring
from latchkey.tokens import access_token, refresh_token


def revoke(presented: str, client: ClientInfo) -> None:
    """End the session of a refresh token or an access token; what is neither, or dead, is fine (section 2.2).

    Clients are public, so whoever bears a token may end it, as at logout (section 2.1). Both tokens of a session go
    together: access tokens are bound to it. Raises TooManyAttempts where refresh tokens are made up (section 5).
    """
    if token := refresh_token.parse(presented):
        return logout(token, client, "revoke")
    try:
        borne = access_token.verify(presented, clock.now(), ring.find_key)
    except InvalidToken:
        return None
    Session.objects.delete_and_record(DELETE_BY_ID, {"id": borne.session_id}, Event.SESSION_ENDED, client, "revoke")
    return None
