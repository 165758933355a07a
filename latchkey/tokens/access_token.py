"""Access tokens: short-lived signed JWTs (RFC 7519, RFC 9068) for one user and one session.

`issue` signs one, `verify` checks one at a time by all rules of RFC 8725, and `decode` is the cached part of that:
signature, form and claims, which do not depend on the time. Key pairs are in `jwk.py`.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

import jwt
from django.conf import settings
from jwt.algorithms import HMACAlgorithm

from latchkey.conf.policy import Policy
from latchkey.core.crypto import derive_keys
from latchkey.core.exceptions import InvalidToken
from latchkey.tokens.authentication_methods import Authentication

ALGORITHM = "HS256"
"""Algorithm of the keys that are derived from the secret key; they have no `kid`. No other key has this algorithm."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key and the one algorithm that it may be used with (RFC 8725 section 3.1).

    The id of a key pair is the thumbprint of its public key; HS256 keys have none. `signing_key` is None if the private
    key is not known.
    """

    kid: str | None
    algorithm: str
    verification_key: Any = field(hash=False, repr=False)
    signing_key: Any = field(default=None, compare=False, repr=False)


def access_token_keys() -> tuple[bytes, ...]:
    """Return the HS256 keys of access tokens: 32 bytes each (RFC 7518 section 3.2)."""
    return derive_keys("access token")


def hs256_keys() -> tuple[Key, ...]:
    """Return the HS256 keys of the secret key and its fallbacks, the current one first."""
    return _hs256_keys(access_token_keys())


@lru_cache(maxsize=8)
def _hs256_keys(secrets: tuple[bytes, ...]) -> tuple[Key, ...]:
    return tuple(Key(None, ALGORITHM, secret, secret) for secret in secrets)


TYPE = "at+jwt"
AUDIENCE = "latchkey"
MAX_LENGTH = 4096
_LIFETIME_SETTING = next(setting for setting in fields(Policy) if setting.name == "access_token_lifetime")
MAX_LIFETIME_SECONDS = int(_LIFETIME_SETTING.metadata["maximum"].total_seconds())
"""Seconds between `iat` and `exp` at most: no setting allows more, so a token that is valid for longer is not ours."""

_COMPACT = re.compile(r"ey[I-L][A-Za-z0-9_-]+\.ey[I-L][A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
"""Compact form: two JSON objects in UTF-8, which begin with {", and a signature; no padding (RFC 8725 section 3.7)."""

_SESSION = re.compile(r"[0-9]{1,19}")
_MAX_ID = 2**63 - 1
_MALFORMED = (jwt.PyJWTError, ValueError, TypeError, RecursionError)


class _HS256(HMACAlgorithm):
    """HMAC-SHA256 that prepares each key once. PyJWT would check for every token that the key is no certificate."""

    prepare_key = lru_cache(maxsize=32)(HMACAlgorithm.prepare_key)


_JWS = jwt.PyJWS()
"""Signer and verifier (RFC 7515). A private instance, so that PyJWT is unchanged for the rest of the process."""

_JWS.unregister_algorithm(ALGORITHM)
_JWS.register_algorithm(ALGORITHM, _HS256(HMACAlgorithm.SHA256))


@dataclass(frozen=True, slots=True)
class AccessToken:
    """The claims of a verified token: user, session, token id, and its times in Unix seconds."""

    user_id: int
    session_id: int
    token_id: str
    issued_at: int
    expires_at: int


@lru_cache(maxsize=64)
def unverified_kid(header: str) -> str | None:
    """Return the `kid` in a token's first segment, None if it has none; raises InvalidToken.

    Cached, because the first segment is the same in all tokens of a key.
    """
    if len(header) > MAX_LENGTH:
        raise InvalidToken
    try:
        return _JWS.get_unverified_header(f"{header}..").get("kid")
    except _MALFORMED as error:
        raise InvalidToken from error


@lru_cache(maxsize=1024)
def decode(presented: str, keys: tuple[Key, ...], issuer: str) -> tuple[AccessToken, int, int]:
    """Return the claims of a token with a valid signature and form, and its time of validity in Unix seconds.

    Raises InvalidToken. Cached, because a client sends its token many times and the result depends on token and keys
    only; exceptions are not cached, so only tokens that this service signed take memory. PyJWT verifies the signature
    (RFC 7515); the form, the type and the claims are checked here.
    """
    if len(presented) > MAX_LENGTH or not _COMPACT.fullmatch(presented):
        raise InvalidToken
    claims = _verified_claims(presented, keys)
    issued_at, not_before, expires_at = claims.get("iat"), claims.get("nbf", 0), claims.get("exp")
    user_id, session, token_id = claims.get("user_id"), claims.get("sid"), claims.get("jti")
    if not (type(issued_at) is type(not_before) is type(expires_at) is type(user_id) is int):
        raise InvalidToken
    if claims.get("sub") != str(user_id) or not (isinstance(session, str) and _SESSION.fullmatch(session)):
        raise InvalidToken
    if int(session) > _MAX_ID or not 0 <= user_id <= _MAX_ID or not isinstance(token_id, str):
        raise InvalidToken
    if not 0 < expires_at - issued_at <= MAX_LIFETIME_SECONDS:
        raise InvalidToken
    if claims.get("iss") != issuer or not _contains_audience(claims.get("aud")):
        raise InvalidToken
    token = AccessToken(user_id, int(session), token_id, issued_at, expires_at)
    return token, max(issued_at, not_before), expires_at


def _contains_audience(audience: object) -> bool:
    """Return whether AUDIENCE is the audience, or one of an array of strings (RFC 7519 section 4.1.3)."""
    if not isinstance(audience, list):
        return audience == AUDIENCE
    return AUDIENCE in audience and all(isinstance(name, str) for name in audience)


def _verified_claims(presented: str, keys: tuple[Key, ...]) -> dict[str, Any]:
    for key in keys:
        try:
            token = _JWS.decode_complete(presented, key.verification_key, algorithms=[key.algorithm])
            claims: Any = json.loads(token["payload"])
        except jwt.InvalidSignatureError:
            continue
        except _MALFORMED as error:
            raise InvalidToken from error
        if "zip" in token["header"] or str(token["header"].get("typ")).lower().removeprefix("application/") != TYPE:
            raise InvalidToken
        if not isinstance(claims, dict):
            raise InvalidToken
        return claims
    raise InvalidToken


CLOCK_SKEW = 30
"""Seconds that the clock of the issuing node may be ahead of this node's."""


PASSWORD_ALONE = Authentication(1, 0)
"""The authentication of a session without claims of its own."""


def issue(  # noqa: PLR0913, PLR0917  # what stands in a token, and the key
    user_id: int,
    session_id: int,
    now: datetime,
    lifetime: timedelta,
    key: Key | None = None,
    authentication: Authentication = PASSWORD_ALONE,
) -> str:
    """Sign an access token, valid from now for the lifetime, in whole seconds; without a key with HS256.

    authentication adds `amr`, `acr` and `auth_time` where it is more than a password.
    """
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
    if authentication.proof != 1:
        claims |= authentication.claims
    headers = {"typ": TYPE, "kid": key.kid} if key.kid else {"typ": TYPE}
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return _JWS.encode(payload, key.signing_key, key.algorithm, headers)


def verify(presented: str, now: datetime, find: Callable[[str], Key | None] = lambda kid: None) -> AccessToken:
    """Verify an access token and return its claims; raises InvalidToken.

    A token without `kid` is verified with the HS256 keys, any other with the key that `find` returns for its `kid`,
    and with that key's algorithm. The token chooses neither (RFC 8725 section 3.1).
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
    """A new access token (JWT) and the session's only valid refresh token (UUID)."""

    access_token: str
    refresh_token: UUID


@dataclass(frozen=True, slots=True)
class AccessTokenSpec:
    """How to sign an access token: time of issue, lifetime, and key (None for HS256)."""

    issued_at: datetime
    lifetime: timedelta
    key: Key | None


def issue_pair(
    session_id: int,
    user_id: int,
    refresh_token: UUID,
    spec: AccessTokenSpec,
    authentication: Authentication = PASSWORD_ALONE,
) -> TokenPair:
    """Sign an access token for the session, and return it with the refresh token."""
    access_token = issue(user_id, session_id, spec.issued_at, spec.lifetime, spec.key, authentication)
    return TokenPair(access_token, refresh_token)
