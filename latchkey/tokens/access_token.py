"""What stands in a token that we signed: its signature and its form, whatever the hour.

Access tokens: short-lived signed JWTs (RFC 7519, RFC 9068) that name a user and a session.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

import jwt
from django.conf import settings
from jwt.algorithms import HMACAlgorithm

from latchkey.core.crypto import derive_keys
from latchkey.core.exceptions import InvalidToken

ALGORITHM = "HS256"
"""Of the keys that are derived from the secret; they have no id, and no other key may be used with it."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key and the one algorithm that it may be used with (RFC 8725 section 3.1).

    The id of a key pair is the thumbprint of its public half. `signs` is None where only that half is known.
    """

    kid: str | None
    algorithm: str
    verification_key: Any = field(hash=False, repr=False)
    signing_key: Any = field(default=None, compare=False, repr=False)


def access_token_keys() -> tuple[bytes, ...]:
    """Return the HS256 keys of access tokens: 32 bytes each (RFC 7518 section 3.2)."""
    return derive_keys("access token")


def hs256_keys() -> tuple[Key, ...]:
    """Return the HS256 keys with their algorithm."""
    return _hs256_keys(access_token_keys())


@lru_cache(maxsize=8)
def _hs256_keys(secrets: tuple[bytes, ...]) -> tuple[Key, ...]:
    return tuple(Key(None, ALGORITHM, secret, secret) for secret in secrets)


TYPE = "at+jwt"
AUDIENCE = "latchkey"
MAX_LENGTH = 4096
_COMPACT = re.compile(r"ey[I-L][A-Za-z0-9_-]+\.ey[I-L][A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
"""Two JSON objects in UTF-8, so beginning with {", and a signature; no padding (RFC 8725 section 3.7)."""

_SESSION = re.compile(r"[0-9]{1,19}")
_LARGEST = 2**63 - 1  # of the ids that a session can have
_CLAIMS = ["user_id", "sub", "sid", "iat", "exp", "jti", "iss", "aud"]
_MALFORMED = (jwt.PyJWTError, ValueError, TypeError, RecursionError)


class _HS256(HMACAlgorithm):
    """HMAC-SHA256 whose keys are looked at once: PyJWT tells them from certificates and the like at every token."""

    prepare_key = lru_cache(maxsize=32)(HMACAlgorithm.prepare_key)


jwt.unregister_algorithm(ALGORITHM)
jwt.register_algorithm(ALGORITHM, _HS256(HMACAlgorithm.SHA256))


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a verified token says: whose it is, to which session it is bound, and from when to when (Unix seconds)."""

    user_id: int
    session_id: int
    token_id: str
    issued_at: int
    expires_at: int


@lru_cache(maxsize=64)
def unverified_kid(header: str) -> str | None:
    """Return the `kid` of a token's first segment, which is the same in all tokens of a key; raises InvalidToken."""
    if len(header) > MAX_LENGTH:
        raise InvalidToken
    try:
        return jwt.get_unverified_header(f"{header}..").get("kid")
    except _MALFORMED as error:
        raise InvalidToken from error


@lru_cache(maxsize=1024)
def decode(presented: str, keys: tuple[Key, ...], issuer: str) -> tuple[AccessToken, int, int]:
    """Return what a token says whose signature and form are right, and from when to when it is valid (Unix seconds).

    Raises InvalidToken. A client sends its token many times, and with the same keys the answer is the same; only
    those are kept that we signed. Beyond PyJWT: the compact form alone, times that are integers, and our type of token.
    """
    if len(presented) > MAX_LENGTH or not _COMPACT.fullmatch(presented):
        raise InvalidToken
    claims = _verified_claims(presented, keys, issuer)
    issued_at, not_before, expires_at = claims["iat"], claims.get("nbf", 0), claims["exp"]
    user_id, session = claims["user_id"], claims["sid"]
    if not all(type(number) is int for number in (issued_at, not_before, expires_at, user_id)):
        raise InvalidToken
    if claims["sub"] != str(user_id) or not (isinstance(session, str) and _SESSION.fullmatch(session)):
        raise InvalidToken
    if int(session) > _LARGEST:
        raise InvalidToken
    token = AccessToken(user_id, int(session), claims["jti"], issued_at, expires_at)
    return token, max(issued_at, not_before), expires_at


def _verified_claims(presented: str, keys: tuple[Key, ...], issuer: str) -> dict[str, Any]:
    for key in keys:
        try:
            token = jwt.decode_complete(
                presented,
                key.verification_key,
                algorithms=[key.algorithm],
                audience=AUDIENCE,
                issuer=issuer,
                options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except jwt.InvalidSignatureError:
            continue
        except _MALFORMED as error:
            raise InvalidToken from error
        if "zip" in token["header"] or str(token["header"].get("typ")).lower().removeprefix("application/") != TYPE:
            raise InvalidToken
        claims: dict[str, Any] = token["payload"]
        return claims
    raise InvalidToken


CLOCK_SKEW = 30
"""Seconds that the clock of the node which issued a token may be ahead of ours."""


def issue(user_id: int, session_id: int, now: datetime, lifetime: timedelta, key: Key | None = None) -> str:
    """Sign a token that is valid from now for the lifetime, both in whole seconds; without a key by the secret's."""
    key = key or hs256_keys()[0]
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
    return jwt.encode(claims, key.signing_key, key.algorithm, headers)


def verify(presented: str, now: datetime, find: Callable[[str], Key | None] = lambda kid: None) -> AccessToken:
    """Return what a token says once every check of RFC 8725 has passed, or raise InvalidToken.

    A token that names no key is held against the secret's. Any other is held against the key that is found by its
    `kid`, under that key's algorithm: neither is a choice of the token's (RFC 8725 section 3.1).
    """
    token, not_before, expires_at = decode(presented, _keys_for(presented, find), settings.PUBLIC_URL)
    if not not_before - CLOCK_SKEW <= now.timestamp() < expires_at:
        raise InvalidToken
    return token


def _keys_for(presented: str, find: Callable[[str], Key | None]) -> tuple[Key, ...]:
    kid = unverified_kid(presented.partition(".")[0])
    if kid is None:
        return hs256_keys()
    key = find(kid)
    if key is None:
        raise InvalidToken
    return (key,)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A fresh access token (a JWT) and the session's one live refresh token (a UUID)."""

    access_token: str
    refresh_token: UUID


@dataclass(frozen=True, slots=True)
class AccessTokenSpec:
    """From when and for how long an access token is valid, and the key that signs it, None for the secret's own."""

    issued_at: datetime
    lifetime: timedelta
    key: Key | None


def issue_pair(session_id: int, user_id: int, secret: UUID, spec: AccessTokenSpec) -> TokenPair:
    """Sign an access token for the session, to go with its refresh token."""
    return TokenPair(issue(user_id, session_id, spec.issued_at, spec.lifetime, spec.key), secret)
