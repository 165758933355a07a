"""Access tokens: short-lived signed JWTs (RFC 7519, RFC 9068) that name a user and a session."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import jwt
from django.conf import settings

from latchkey.core.errors import InvalidToken
from latchkey.tokens.keys import Key, derived_keys
from latchkey.tokens.signed import AUDIENCE, TYPE, AccessToken, key_id, signed

CLOCK_SKEW = 30
"""Seconds that the clock of the node which issued a token may be ahead of ours."""


def issue(user_id: int, session_id: int, now: datetime, lifetime: timedelta, key: Key | None = None) -> str:
    """Sign a token that is valid from now for the lifetime, both in whole seconds; without a key by the secret's."""
    key = key or derived_keys()[0]
    issued_at = int(now.timestamp())
    claims = {
        "user_id": user_id,
        "sub": str(user_id),
        "sid": str(session_id),
        "iat": issued_at,
        "exp": issued_at + int(lifetime.total_seconds()),
        "jti": str(uuid4()),
        "iss": settings.PUBLIC_URL,
        "aud": AUDIENCE,
    }
    headers = {"typ": TYPE, "kid": key.kid} if key.kid else {"typ": TYPE}
    return jwt.encode(claims, key.signs, key.algorithm, headers)


def verify(presented: str, now: datetime, find: Callable[[str], Key | None] = lambda kid: None) -> AccessToken:
    """Return what a token says once every check of RFC 8725 has passed, or raise InvalidToken.

    A token that names no key is held against the secret's. Any other is held against the key that is found by its
    `kid`, under that key's algorithm: neither is a choice of the token's (RFC 8725 section 3.1).
    """
    token, not_before, expires_at = signed(presented, _keys_for(presented, find), settings.PUBLIC_URL)
    if not not_before - CLOCK_SKEW <= now.timestamp() < expires_at:
        raise InvalidToken
    return token


def _keys_for(presented: str, find: Callable[[str], Key | None]) -> tuple[Key, ...]:
    kid = key_id(presented.partition(".")[0])
    if kid is None:
        return derived_keys()
    key = find(kid)
    if key is None:
        raise InvalidToken
    return (key,)
