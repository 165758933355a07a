"""Token revocation (RFC 7009): end the session of a refresh token or an access token."""

from latchkey.audit.events import Event
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidToken
from latchkey.sessions.logout import logout
from latchkey.sessions.models import Session
from latchkey.sessions.sql import DELETE_BY_ID
from latchkey.signing_keys import key_set
from latchkey.tokens import access_token, refresh_token


def revoke(presented: str, client: ClientInfo) -> None:
    """End the session of a token. Idempotent: an unknown or inactive token is no error (RFC 7009 section 2.2).

    Clients are public, so the holder of a token may revoke it without credentials, as at logout (section 2.1). Both
    tokens of a session end together, because access tokens are bound to the session. Raises TooManyAttempts for
    made-up refresh tokens over the limit (section 5).
    """
    if token := refresh_token.parse(presented):
        return logout(token, client, "revoke")
    try:
        verified = access_token.verify(presented, clock.now(), key_set.find_key)
    except InvalidToken:
        return None
    Session.objects.delete_and_record(DELETE_BY_ID, {"id": verified.session_id}, Event.SESSION_ENDED, client, "revoke")
    return None
