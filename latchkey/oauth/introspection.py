"""Token introspection (RFC 7662): how the operator's own services validate a token that a client sent them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from latchkey.api_keys.verification import VerifiedKey
from latchkey.authorization.scopes import format_scope
from latchkey.bearer_tokens.principal import Principal
from latchkey.bearer_tokens.validation import validate
from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidToken
from latchkey.rate_limits.in_memory import count_invalid_token
from latchkey.sessions.models import Session
from latchkey.sessions.sql import SessionUser
from latchkey.tokens import refresh_token
from latchkey.tokens.access_token import AUDIENCE, AccessToken, ClientAccessToken
from latchkey.tokens.authentication_methods import Authentication
from latchkey.tokens.refresh_token import refresh_token_keys


@dataclass(frozen=True, slots=True)
class Introspection:
    """An introspection response (RFC 7662 section 2.2), with times in Unix seconds; None if a member does not apply.

    A refresh token has no `token_type` and no `aud`, so that a service which checks either does not accept it as an
    access token. `username` is the e-mail address: users choose their display name, and could choose another's address.
    `email_verified` says whether its owner has confirmed it: before that, anybody can have registered it.
    `amr`, `acr` and `auth_time` stand only where the session proved more than the password of the sign-in. `roles`,
    `claims` and `scope` of a person are those of now, whatever the token says. An application has `client_id` and no
    `user_id`; `scope` is what its token has and the application still has. An API key has `key_id`, and neither `jti`
    nor `aud`.
    """

    active: bool = False
    token_type: str | None = None
    sub: str | None = None
    user_id: int | None = None
    client_id: str | None = None
    username: str | None = None
    email_verified: bool | None = None
    sid: str | None = None
    iat: int | None = None
    exp: int | None = None
    jti: str | None = None
    iss: str | None = None
    aud: str | list[str] | None = None
    scope: str | None = None
    roles: list[str] | None = None
    claims: dict[str, Any] | None = None
    key_id: str | None = None
    amr: list[str] | None = None
    acr: str | None = None
    auth_time: int | None = None


BEARER = "Bearer"  # the type of RFC 6750
INACTIVE = Introspection()
"""The response for every token that is malformed, unknown, expired, used or of an ended session."""


def introspect(presented: str, client: ClientInfo) -> Introspection:
    """Return whether a token or an API key is active, and for an active one its owner and what it may be used for.

    One statement, and one more for a person with roles. Nothing changes but the time when an API key was last used.
    A token for another audience is active: its `aud` says so, and the service has to compare it.
    Raises TooManyAttempts for made-up refresh tokens and API keys over the limit (RFC 7662 section 4); active ones are
    not limited.
    """
    if token := refresh_token.parse(presented):
        return _introspect_refresh_token(token, client)
    try:
        principal = validate(presented, client, audience=None)
    except InvalidToken:
        return INACTIVE
    scope = format_scope(principal.scopes) or None
    if isinstance(principal.user, SessionUser) and isinstance(principal.token, AccessToken):
        return _of_session(principal.user, principal.token, scope)
    if isinstance(principal.token, ClientAccessToken):
        return _of_application(principal.token, scope)
    return _of_key(principal, scope)


def _of_session(user: SessionUser, token: AccessToken, scope: str | None) -> Introspection:
    about_authorization = json.loads(user.token_claims) if user.token_claims else {}  # roles and claims
    return Introspection(
        active=True,
        token_type=BEARER,
        sub=str(user.id),
        user_id=user.id,
        username=user.email,
        email_verified=bool(user.email_verified),
        sid=str(token.session_id),
        iat=token.issued_at,
        exp=token.expires_at,
        jti=token.token_id,
        iss=settings.PUBLIC_URL,
        aud=AUDIENCE,
        scope=scope,
        **about_authorization,
        **Authentication(user.proof, user.authenticated_at).claims,
    )


def _of_application(token: ClientAccessToken, scope: str | None) -> Introspection:
    return Introspection(
        active=True,
        token_type=BEARER,
        sub=token.client_id,
        client_id=token.client_id,
        iat=token.issued_at,
        exp=token.expires_at,
        jti=token.token_id,
        iss=settings.PUBLIC_URL,
        aud=token.audience[0] if len(token.audience) == 1 else list(token.audience),
        scope=scope,
    )


def _of_key(principal: Principal, scope: str | None) -> Introspection:
    key = cast("VerifiedKey", principal.key)
    known = Introspection(
        active=True,
        token_type=BEARER,
        sub=key.client_id,
        client_id=key.client_id,
        iat=key.created_at,
        exp=key.expires_at,
        iss=settings.PUBLIC_URL,
        scope=scope,
        key_id=key.key_id,
    )
    if (user := key.user) is None:
        return known
    return replace(
        known,
        sub=str(user.id),
        user_id=user.id,
        client_id=None,
        username=user.email,
        email_verified=bool(user.email_verified),
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
