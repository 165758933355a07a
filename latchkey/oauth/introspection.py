"""Say in headers whose an access token is, for a proxy to hand on.

Tell a service about a token that somebody sent it (RFC 7662).
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
from latchkey.sessions.access_tokens import authenticate
from latchkey.sessions.models import Session
from latchkey.tokens import refresh_token
from latchkey.tokens.access_token import AUDIENCE, AccessToken
from latchkey.tokens.refresh_token import refresh_token_keys


def identity_headers(token: AccessToken) -> dict[str, str]:
    """Return the headers that name the user and the session of a token that was verified."""
    return {"X-User-Id": str(token.user_id), "X-Session-Id": str(token.session_id)}


@dataclass(frozen=True, slots=True)
class Introspection:
    """What there is to say (RFC 7662 section 2.2), times in Unix seconds; None where a member does not apply.

    A refresh token has no token_type and no aud: it opens no service, and who asks for either takes none for an
    access token. username is the e-mail address: the display name is anybody's choice, and could be another's address.
    """

    active: bool = False
    token_type: str | None = None
    sub: str | None = None
    user_id: int | None = None
    username: str | None = None
    sid: str | None = None
    iat: int | None = None
    exp: int | None = None
    jti: str | None = None
    iss: str | None = None
    aud: str | None = None


INACTIVE = Introspection()
"""All that is said of a token that is malformed, unknown, expired, spent or of an ended session."""


def introspect(presented: str, client: ClientInfo) -> Introspection:
    """Tell whether a token is live, and of a live one whose it is: one statement, which changes nothing.

    Raises TooManyAttempts where refresh tokens are made up (RFC 7662 section 4); a live one is always told of.
    """
    if token := refresh_token.parse(presented):
        return _introspect_refresh_token(token, client)
    try:
        access_token, bearer = authenticate(presented)
    except InvalidToken:
        return INACTIVE
    return Introspection(
        active=True,
        token_type="Bearer",  # noqa: S106 - the type of RFC 6750, no secret
        sub=str(bearer.id),
        user_id=bearer.id,
        username=bearer.email,
        sid=str(access_token.session_id),
        iat=access_token.issued_at,
        exp=access_token.expires_at,
        jti=access_token.token_id,
        iss=settings.PUBLIC_URL,
        aud=AUDIENCE,
    )


def _introspect_refresh_token(presented: UUID, client: ClientInfo) -> Introspection:
    """Tell of a token that refresh would rotate; a spent one is inactive, and looking at it is no replay."""
    now, keys = clock.now(), refresh_token_keys()
    session = _find_session(presented, keys, now)
    if session is None:
        if refresh_token.was_never_issued(keys, presented):
            count_invalid_token(client)
        return INACTIVE
    ends = min(session.expires_at, session.created_at + current_policy().session_lifetime_cap)
    return Introspection(
        active=True,
        sub=str(session.user_id),
        user_id=session.user_id,
        username=session.user.email,
        sid=str(session.pk),
        iat=int(session.rotated_at.timestamp()),
        exp=int(ends.timestamp()),
        iss=settings.PUBLIC_URL,
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
