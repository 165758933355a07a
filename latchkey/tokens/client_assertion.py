"""Client assertions: JWTs by which an application proves that it has a private key (private_key_jwt, RFC 7523).

The application signs one for each request with a key of its own, of which this service knows the public half.
`verify_assertion` checks it by the rules of RFC 7523 section 3 and RFC 8725. The key decides on the algorithm, never
the assertion.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from math import isfinite, nan
from typing import Any

import jwt
from jwt.algorithms import OKPAlgorithm

from latchkey.tokens.access_token import CLOCK_SKEW, Key
from latchkey.tokens.public_keys import load_public_key

MAX_LENGTH = 4_096
"""Characters of an assertion; one that is signed with RSA of 4,096 bits has 1,100."""

MAX_LIFETIME_SECONDS = 3_600
"""Seconds from now to `exp`, at most. Authlib signs for an hour, and has no option for less (decision 38)."""

_NAMES = {
    "RS256": ("RS256",),
    "PS256": ("PS256",),
    "ES256": ("ES256",),
    "EdDSA": ("EdDSA", "Ed25519"),  # RFC 9864 names the curve
}
"""Names that a header may have in `alg`, by the algorithm of the key."""

ALGORITHMS = tuple(sorted(name for names in _NAMES.values() for name in names))
"""Values of `alg` for the metadata document (RFC 8414 section 2)."""

_TYPES = {None, "jwt", "client-authentication+jwt"}
"""Values of `typ` in lower case; an access token (at+jwt) is no assertion (RFC 8725 section 3.11)."""

_MALFORMED = (jwt.PyJWTError, ValueError, TypeError, LookupError, RecursionError)

_JWS = jwt.PyJWS()
_JWS.register_algorithm("Ed25519", OKPAlgorithm())


class InvalidAssertion(ValueError):
    """An assertion that proves nothing; the message is a sentence for whom the key belongs to, or for nobody.

    reason is a word for the log. is_signed tells that the signature was right, so that the sentence may be shown.
    """

    def __init__(self, reason: str, sentence: str = "", is_signed: bool = False) -> None:
        super().__init__(sentence)
        self.reason, self.is_signed = reason, is_signed


def read_client_id(presented: str) -> str:
    """Return the client id in `sub`, before the signature is verified (RFC 7521 section 4.2).

    Raises InvalidAssertion for what is no JWT with a `sub`.
    """
    try:
        if len(presented) > MAX_LENGTH:
            raise InvalidAssertion("form")
        claims = json.loads(_JWS.decode_complete(presented, options={"verify_signature": False})["payload"])
        client_id = claims["sub"]
    except _MALFORMED as error:
        raise InvalidAssertion("form") from error
    if not isinstance(client_id, str):
        raise InvalidAssertion("form")
    return client_id


def verify_assertion(presented: str, client_id: str, jwks: str, audiences: Collection[str], now: datetime) -> None:
    """Verify an assertion of this client; raises InvalidAssertion.

    jwks is the JSON of the public keys that are registered for it: an array of JWKs, or an object with one in `keys`
    (RFC 7517 section 5). audiences are the names of this service, of which the assertion has to have one, and nobody
    else's.
    """
    claims = _signed_claims(presented, load_keys(jwks))
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise InvalidAssertion("client", "The claims iss and sub must both be the client id.", is_signed=True)
    audience = claims.get("aud")
    named: Any = audience if isinstance(audience, list) else [audience]
    if not named or not all(isinstance(name, str) and name in audiences for name in named):
        sentence = "The claim aud must be the issuer, or the URL of the token endpoint, and nothing else."
        raise InvalidAssertion("audience", sentence, is_signed=True)
    _check_times(claims, now.timestamp())


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    expires_at, issued_at, not_before = (
        _seconds(value) for value in (claims.get("exp"), claims.get("iat", now), claims.get("nbf", now))
    )
    if not isfinite(expires_at + issued_at + not_before):
        raise InvalidAssertion("time", "The claim exp is required; exp, iat and nbf are numbers.", is_signed=True)
    if expires_at <= now - CLOCK_SKEW:
        raise InvalidAssertion("time", "The assertion has expired; sign a new one for each request.", is_signed=True)
    if expires_at > now + MAX_LIFETIME_SECONDS + CLOCK_SKEW:
        raise InvalidAssertion("time", "The claim exp is more than an hour ahead.", is_signed=True)
    if max(issued_at, not_before) > now + CLOCK_SKEW:
        raise InvalidAssertion("time", "The assertion is from the future; compare the clocks.", is_signed=True)


def _seconds(value: object) -> float:
    """Return a NumericDate (RFC 7519 section 2); NaN for what is none."""
    return (
        float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e12 else nan
    )


def _signed_claims(presented: str, keys: Sequence[Key]) -> dict[str, Any]:
    """Return the claims of an assertion that one of the keys has signed; raises InvalidAssertion."""
    if len(presented) > MAX_LENGTH:
        raise InvalidAssertion("form")
    try:
        header = _JWS.get_unverified_header(presented)
    except _MALFORMED as error:
        raise InvalidAssertion("form") from error
    kid, algorithm, kind = header.get("kid"), header.get("alg"), header.get("typ")
    kind = kind.lower().removeprefix("application/") if isinstance(kind, str) else kind
    if not isinstance(algorithm, str) or kind not in _TYPES or "zip" in header:
        raise InvalidAssertion("form")
    candidates = [key for key in keys if kid in (None, key.kid) and algorithm in _NAMES[key.algorithm]]
    if not candidates:
        raise InvalidAssertion("key")
    for key in candidates:
        try:
            claims = json.loads(_JWS.decode_complete(presented, key.verification_key, [algorithm])["payload"])
        except jwt.InvalidSignatureError:
            continue
        except _MALFORMED as error:
            raise InvalidAssertion("form") from error
        if not isinstance(claims, dict):
            raise InvalidAssertion("form")
        return claims
    raise InvalidAssertion("signature")


@lru_cache(maxsize=256)
def load_keys(jwks: str) -> tuple[Key, ...]:
    """Return the public keys of a JSON Web Key Set that can verify an assertion; others in it are left out."""
    document = json.loads(jwks)
    listed = document.get("keys", []) if isinstance(document, dict) else document
    return tuple(key for key in map(load_public_key, listed) if key)
