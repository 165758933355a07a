"""Say in headers whose an access token is, for a proxy to hand on."""

from latchkey.tokens.signed import AccessToken


def headers_of(token: AccessToken) -> dict[str, str]:
    """Return the headers that name the user and the session of a token that was verified."""
    return {"X-User-Id": str(token.user_id), "X-Session-Id": str(token.session_id)}
