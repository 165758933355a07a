"""Token revocation (RFC 7009): end the session of a refresh token or an access token, or revoke an API key."""

from latchkey.api_keys.api_key import looks_like_key
from latchkey.api_keys.manage import revoke_presented
from latchkey.audit.events import Event
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidToken
from latchkey.sessions.logout import logout
from latchkey.sessions.models import Session
from latchkey.sessions.sql import DELETE_BY_ID
from latchkey.signing_keys import key_set
from latchkey.tokens import access_token, refresh_token
from latchkey.tokens.access_token import AccessToken


def revoke(presented: str, client: ClientInfo) -> bool:
    """End the session of a token, or revoke an API key; return whether a token of its kind can be revoked.

    That of an application cannot: it stands in no table, and ends by itself (decision 38). Idempotent: an unknown or
    inactive token is no error (RFC 7009 section 2.2).

    Clients are public, so the holder of a token may revoke it without credentials, as at logout (section 2.1). Both
    tokens of a session end together, because access tokens are bound to the session. Raises TooManyAttempts for
    made-up refresh tokens or keys over the limit (section 5).
    """
    if looks_like_key(presented):
        revoke_presented(presented, client)
        return True
    if token := refresh_token.parse(presented):
        logout(token, client, "revoke")
        return True
    try:
        verified = access_token.verify_any(presented, clock.now(), key_set.find_key)
    except InvalidToken:
        return True
    if not isinstance(verified, AccessToken):
        return False
    Session.objects.delete_and_record(DELETE_BY_ID, {"id": verified.session_id}, Event.SESSION_ENDED, client, "revoke")
    return True
