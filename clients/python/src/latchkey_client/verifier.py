"""Verifier: local validation of access tokens with Latchkey's public keys (RFC 9068 section 4), without a request each.

A token is refused after it has expired, not at once after a sign-out: use `Introspection` where that matters.
"""

import json
import time
from typing import Any

import jwt

from latchkey_client.bearer import Clock, TokenVerifier, check_form
from latchkey_client.claims import PERSON_AUDIENCE, Claims, build_claims
from latchkey_client.errors import InvalidToken
from latchkey_client.key_set import ALGORITHMS, PublicKey, shared_key_set

TYPE = "at+jwt"
CLOCK_SKEW_SECONDS = 30
"""Seconds that the clock of Latchkey may be ahead of this machine's."""

MAX_LIFETIME_SECONDS = 3_600
"""Seconds between `iat` and `exp` at most: Latchkey issues no token that is valid for longer."""

_JWS = jwt.PyJWS(algorithms=ALGORITHMS)
"""Signature verification (RFC 7515), with these algorithms alone."""

_MALFORMED = (jwt.PyJWTError, ValueError, TypeError, LookupError, RecursionError)


class Verifier(TokenVerifier):
    """Validates access tokens of one issuer for one service. Create one when the application starts; share it freely.

    issuer: LATCHKEY_PUBLIC_URL. audience: the resource that this service is registered as, which the tokens of
    applications have to name; tokens of users name `latchkey` always. url: where this service reaches Latchkey, if not
    at the issuer. leeway: seconds for which an expired token is still accepted. clock: for tests.
    """

    def __init__(
        self,
        issuer: str,
        audience: str = PERSON_AUDIENCE,
        *,
        url: str = "",
        leeway: float = 0,
        clock: Clock = time,
    ) -> None:
        self.issuer, self.audience, self.leeway, self.clock = issuer.rstrip("/"), audience, leeway, clock
        self._keys = shared_key_set(f"{(url or issuer).rstrip('/')}/.well-known/jwks.json", clock)

    def authenticate(self, token: str) -> Claims:
        """Return the claims of any valid token, of a session or of an application.

        Raises InvalidToken, or LatchkeyUnavailable if the key is unknown and cannot be fetched.
        """
        kid = _read_kid(token)
        return self._validate(token, self._keys.find(kid))

    async def aauthenticate(self, token: str) -> Claims:
        """Do the same without blocking the event loop."""
        kid = _read_kid(token)
        return self._validate(token, await self._keys.afind(kid))

    def _validate(self, token: str, key: PublicKey | None) -> Claims:
        if key is None:
            raise InvalidToken
        payload = _verify_signature(token, key)
        issued_at, not_before, expires_at = payload.get("iat"), payload.get("nbf", 0), payload.get("exp")
        if not (type(issued_at) is type(not_before) is type(expires_at) is int):
            raise InvalidToken
        if payload.get("iss") != self.issuer or not 0 < expires_at - issued_at <= MAX_LIFETIME_SECONDS:
            raise InvalidToken
        now = self.clock.time()
        if now >= expires_at + self.leeway:
            raise InvalidToken("The access token has expired")
        if now < max(issued_at, not_before) - CLOCK_SKEW_SECONDS:
            raise InvalidToken("The access token is from the future")
        return build_claims(payload, self.audience)


def _read_kid(token: str) -> str:
    """Return the key id in a token's header, before its signature is verified; raises InvalidToken."""
    try:
        header = _JWS.get_unverified_header(check_form(token))
    except _MALFORMED as error:
        raise InvalidToken from error
    if header.get("alg") == "HS256":
        raise InvalidToken("The access token is signed with HS256, and not with a key pair")
    kind, kid = str(header.get("typ")).lower().removeprefix("application/"), header.get("kid")
    if kind != TYPE or header.get("alg") not in ALGORITHMS or "crit" in header or not isinstance(kid, str):
        raise InvalidToken
    return kid


def _verify_signature(token: str, key: PublicKey) -> dict[str, Any]:
    """Return the payload of a token that this key has signed with its own algorithm; raises InvalidToken."""
    try:
        payload: Any = json.loads(_JWS.decode_complete(token, key.key, [key.algorithm])["payload"])
    except _MALFORMED as error:
        raise InvalidToken from error
    if not isinstance(payload, dict):
        raise InvalidToken
    return payload
