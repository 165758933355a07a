"""Token introspection (RFC 7662) for services, and the identity headers of the verify endpoint for reverse proxies.

Both are how the operator's own services validate a token that a client sent them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidToken
from latchkey.rate_limits.in_memory import count_invalid_token
from latchkey.sessions.access_tokens import authenticate_access_token
from latchkey.sessions.models import Session
from latchkey.tokens import refresh_token
from latchkey.tokens.access_token import AUDIENCE, AccessToken
from latchkey.tokens.authentication_methods import Authentication
from latchkey.tokens.refresh_token import refresh_token_keys


def identity_headers(token: AccessToken, email_verified: bool) -> dict[str, str]:
    """Return the response headers of a verified access token: user, session, and whether the e-mail is confirmed."""
    return {
        "X-User-Id": str(token.user_id),
        "X-Session-Id": str(token.session_id),
        "X-User-Email-Verified": "true" if email_verified else "false",
    }


@dataclass(frozen=True, slots=True)
class Introspection:
    """An introspection response (RFC 7662 section 2.2), with times in Unix seconds; None if a member does not apply.

    A refresh token has no `token_type` and no `aud`, so that a service which checks either does not accept it as an
    access token. `username` is the e-mail address: users choose their display name, and could choose another's address.
    `amr`, `acr` and `auth_time` stand only where the session proved more than a password.
    `email_verified` says whether its owner has confirmed it: before that, anybody can have registered it.
    """

    active: bool = False
    token_type: str | None = None
    sub: str | None = None
    user_id: int | None = None
    username: str | None = None
    email_verified: bool | None = None
    sid: str | None = None
    iat: int | None = None
    exp: int | None = None
    jti: str | None = None
    iss: str | None = None
    aud: str | None = None
    amr: list[str] | None = None
    acr: str | None = None
    auth_time: int | None = None


INACTIVE = Introspection()
"""The response for every token that is malformed, unknown, expired, used or of an ended session."""


def introspect(presented: str, client: ClientInfo) -> Introspection:
    """Return whether a token is active, and for an active one its owner: one statement, which changes nothing.

    Raises TooManyAttempts for made-up refresh tokens over the limit (RFC 7662 section 4); active ones are not limited.
    """
    if token := refresh_token.parse(presented):
        return _introspect_refresh_token(token, client)
    try:
        access_token, user = authenticate_access_token(presented)
    except InvalidToken:
        return INACTIVE
    return Introspection(
        active=True,
        token_type="Bearer",  # noqa: S106 - the type of RFC 6750, no secret
        sub=str(user.id),
        user_id=user.id,
        username=user.email,
        email_verified=bool(user.email_verified),
        sid=str(access_token.session_id),
        iat=access_token.issued_at,
        exp=access_token.expires_at,
        jti=access_token.token_id,
        iss=settings.PUBLIC_URL,
        aud=AUDIENCE,
        **Authentication(user.proof, user.authenticated_at).claims,
    )


def _introspect_refresh_token(presented: UUID, client: ClientInfo) -> Introspection:
    """Introspect a refresh token: active if refresh would rotate it. A used one is inactive, and ends no session."""
    now, keys = clock.now(), refresh_token_keys()
    session = _find_session(presented, keys, now)
    if session is None:
        if refresh_token.was_never_issued(keys, presented):
            count_invalid_token(client)
        return INACTIVE
    expires_at = min(session.expires_at, session.created_at + current_policy().session_lifetime_cap)
    return Introspection(
        active=True,
        sub=str(session.user_id),
        user_id=session.user_id,
        username=session.user.email,
        email_verified=session.user.email_verified_at is not None,
        sid=str(session.pk),
        iat=int(session.rotated_at.timestamp()),
        exp=int(expires_at.timestamp()),
        iss=settings.PUBLIC_URL,
        **session.authentication.claims,
    )


def _find_session(presented: UUID, keys: Sequence[bytes], now: datetime) -> Session | None:
    digests = [refresh_token.digest(key, presented) for key in keys]
    return (
        Session.objects.live(now)
        .filter(Q(digest__in=digests) | Q(next_digest__in=digests), selector=refresh_token.selector(presented))
        .filter(created_at__gt=now - current_policy().session_lifetime_cap)
        .select_related("user")
        .first()
    )
