"""Access tokens: short-lived signed JWTs (RFC 7519, RFC 9068) for one user and one session, or for one application.

`issue` signs one, `verify` checks one at a time by all rules of RFC 8725, and `decode` is the cached part of that:
signature, form and claims, which do not depend on the time. Key pairs are in `jwk.py`.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
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
from latchkey.core.exceptions import InvalidToken, PermissionDenied
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


@dataclass(frozen=True, slots=True)
class ClientAccessToken:
    """The claims of a verified token of an application (RFC 9068 section 2.2); times in Unix seconds."""

    client_id: str
    scopes: frozenset[str]
    audience: tuple[str, ...]
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
def decode(presented: str, keys: tuple[Key, ...], issuer: str) -> tuple[AccessToken | ClientAccessToken, int, int]:
    """Return the claims of a token with a valid signature and form, and its time of validity in Unix seconds.

    Raises InvalidToken. Cached, because a client sends its token many times and the result depends on token and keys
    only; exceptions are not cached, so only tokens that this service signed take memory. PyJWT verifies the signature
    (RFC 7515); the form, the type and the claims are checked here.
    """
    if len(presented) > MAX_LENGTH or not _COMPACT.fullmatch(presented):
        raise InvalidToken
    claims = _verified_claims(presented, keys)
    issued_at, not_before, expires_at = claims.get("iat"), claims.get("nbf", 0), claims.get("exp")
    if not (type(issued_at) is type(not_before) is type(expires_at) is int):
        raise InvalidToken
    if not 0 < expires_at - issued_at <= MAX_LIFETIME_SECONDS:
        raise InvalidToken
    if claims.get("iss") != issuer or not isinstance(claims.get("jti"), str):
        raise InvalidToken
    read = _client_token if "client_id" in claims else _user_token
    return read(claims), max(issued_at, not_before), expires_at


def _user_token(claims: dict[str, Any]) -> AccessToken:
    user_id, session = claims.get("user_id"), claims.get("sid")
    if type(user_id) is not int or not 0 <= user_id <= _MAX_ID or claims.get("sub") != str(user_id):
        raise InvalidToken
    if not (isinstance(session, str) and _SESSION.fullmatch(session)) or int(session) > _MAX_ID:
        raise InvalidToken
    if AUDIENCE not in _audience(claims):
        raise InvalidToken
    return AccessToken(user_id, int(session), claims["jti"], claims["iat"], claims["exp"])


def _client_token(claims: dict[str, Any]) -> ClientAccessToken:
    client_id, scope = claims["client_id"], claims.get("scope", "")
    if not isinstance(client_id, str) or claims.get("sub") != client_id or not isinstance(scope, str):
        raise InvalidToken
    if "user_id" in claims or "sid" in claims:
        raise InvalidToken
    times = claims["iat"], claims["exp"]
    return ClientAccessToken(client_id, frozenset(scope.split()), _audience(claims), claims["jti"], *times)


def _audience(claims: dict[str, Any]) -> tuple[str, ...]:
    """Return the audiences, which are one text or an array of them (RFC 7519 section 4.1.3); raises InvalidToken."""
    audience = claims.get("aud")
    names = audience if isinstance(audience, list) else [audience]
    if not names or not all(isinstance(name, str) for name in names):
        raise InvalidToken
    return tuple(names)


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
    token_claims: str = "",
) -> str:
    """Sign an access token, valid from now for the lifetime, in whole seconds; without a key with HS256.

    authentication adds `amr`, `acr` and `auth_time` where it is more than a password. token_claims is
    `User.token_claims`: a JSON object with `roles` and `claims`, or empty.
    """
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
    return _sign(claims, key, token_claims)


def issue_for_client(  # noqa: PLR0913, PLR0917  # what stands in a token, and the key
    client_id: str,
    scopes: Iterable[str],
    audience: Sequence[str],
    now: datetime,
    lifetime: timedelta,
    key: Key | None = None,
) -> str:
    """Sign an access token of an application for these audiences (RFC 9068 section 2.2); without a key with HS256."""
    issued_at = int(now.timestamp())
    claims = {
        "sub": client_id,
        "client_id": client_id,
        "scope": " ".join(sorted(scopes)),
        "iat": issued_at,
        "exp": issued_at + int(lifetime.total_seconds()),
        "jti": str(uuid4()),
        "iss": settings.PUBLIC_URL,
        "aud": audience[0] if len(audience) == 1 else list(audience),
    }
    if not claims["scope"]:
        del claims["scope"]
    return _sign(claims, key)


def _sign(claims: dict[str, Any], key: Key | None, more_claims: str = "") -> str:
    """Sign the claims, and those of a JSON object, which is copied behind them: to decode it would cost more."""
    key = key or hs256_keys()[0]
    headers = {"typ": TYPE, "kid": key.kid} if key.kid else {"typ": TYPE}
    payload = json.dumps(claims, separators=(",", ":"))
    payload = f"{payload[:-1]},{more_claims[1:]}" if more_claims else payload
    return _JWS.encode(payload.encode(), key.signing_key, key.algorithm, headers)


def verify(presented: str, now: datetime, find: Callable[[str], Key | None] = lambda kid: None) -> AccessToken:
    """Verify the access token of a person as `verify_any` does; raises PermissionDenied for that of an application."""
    token = verify_any(presented, now, find)
    if not isinstance(token, AccessToken):
        raise PermissionDenied
    return token


def verify_any(
    presented: str, now: datetime, find: Callable[[str], Key | None] = lambda kid: None
) -> AccessToken | ClientAccessToken:
    """Verify an access token of either kind and return its claims; raises InvalidToken.

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
    """A new access token (JWT), the session's only valid refresh token (UUID), and the access token's lifetime."""

    access_token: str
    refresh_token: UUID
    expires_in: int
    """Seconds from the time of issue."""


@dataclass(frozen=True, slots=True)
class AccessTokenSpec:
    """How to sign an access token: time of issue, lifetime, and key (None for HS256)."""

    issued_at: datetime
    lifetime: timedelta
    key: Key | None


def issue_pair(  # noqa: PLR0913, PLR0917  # as for issue
    session_id: int,
    user_id: int,
    refresh_token: UUID,
    spec: AccessTokenSpec,
    authentication: Authentication = PASSWORD_ALONE,
    token_claims: str = "",
) -> TokenPair:
    """Sign an access token for the session, and return it with the refresh token."""
    access_token = issue(user_id, session_id, spec.issued_at, spec.lifetime, spec.key, authentication, token_claims)
    return TokenPair(access_token, refresh_token, int(spec.lifetime.total_seconds()))
