"""Identity headers of the verify endpoint, which a reverse proxy passes on to the service behind it."""

from latchkey.authorization.scopes import format_scope
from latchkey.authorization.token_claims import roles_of
from latchkey.bearer_tokens.principal import Principal
from latchkey.oauth.requirement import Requirement
from latchkey.sessions.sql import SessionUser
from latchkey.tokens.access_token import AccessToken


def identity_headers(principal: Principal, requirement: Requirement) -> dict[str, str]:
    """Return the response headers of a verified bearer token: who it belongs to, and what it may be used for.

    All headers stand in every response, empty where they do not apply: so a proxy that copies them replaces those that
    the client sent, whatever kind of token it is. X-Scope has the scopes of an application's token or of a key; of a
    session those that the request asks for, as it has no scopes but through roles.
    """
    user, token = principal.user, principal.token
    if isinstance(user, SessionUser) and isinstance(token, AccessToken):
        return session_headers(token, user, format_scope(requirement.scopes))
    return {
        "X-User-Id": str(user.id) if user else "",
        "X-Session-Id": "",
        "X-User-Email-Verified": ("true" if user.email_verified else "false") if user else "",
        "X-User-Roles": "",
        "X-Client-Id": principal.client_id,
        "X-Scope": format_scope(principal.scopes),
    }


def session_headers(token: AccessToken, user: SessionUser, scope: str = "") -> dict[str, str]:
    """Return the identity headers of a person's session; scope is what was asked for."""
    return {
        "X-User-Id": str(user.id),
        "X-Session-Id": str(token.session_id),
        "X-User-Email-Verified": "true" if user.email_verified else "false",
        "X-User-Roles": ",".join(roles_of(user.token_claims)) if user.token_claims else "",
        "X-Client-Id": "",
        "X-Scope": scope,
    }
