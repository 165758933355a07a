"""Public keys of applications for private_key_jwt (RFC 7523), as a JSON Web Key Set (RFC 7517), checked before use.

What is stored has the public members alone. A private or a symmetric key is refused, and not repeated in the sentence:
who pastes one by mistake must not find it in a log.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from latchkey.tokens.access_token import Key

MAX_KEYS = 10
MAX_KID_LENGTH = 128
MAX_TEXT_LENGTH = 32_768
"""Characters of a key set that is parsed at all; ten keys of the longest kind have 15,000."""

MIN_RSA_BITS, MAX_RSA_BITS = 2_048, 8_192
"""Bits of an RSA modulus: at least as RFC 7518 section 3.3 says, at most what is verified in a millisecond."""

_PUBLIC = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})
_ALGORITHMS = {"RSA": ("RS256", "PS256"), "EC": ("ES256",), "OKP": ("EdDSA",)}
"""Algorithms by key type, the default first."""

_LOADED: Mapping[str, Callable[[Any], bool]] = {
    "RSA": lambda key: isinstance(key, rsa.RSAPublicKey) and MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS,
    "EC": lambda key: isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1),
    "OKP": lambda key: isinstance(key, ed25519.Ed25519PublicKey),
}
_NEEDED = {
    "RSA": f"an RSA key of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits",
    "EC": "an EC key on the curve P-256",
    "OKP": "an OKP key on the curve Ed25519",
}
_UNUSABLE = (jwt.PyJWTError, ValueError, TypeError, LookupError, AttributeError)


def parse_public_keys(text: str) -> list[dict[str, str]]:
    """Return the keys of a JSON Web Key Set in a text; raises ValueError with a sentence. An empty text is no key."""
    if not text.strip():
        return []
    if len(text) > MAX_TEXT_LENGTH:
        raise ValueError(f"A key set has at most {MAX_TEXT_LENGTH:,} characters.")
    if "PRIVATE KEY" in text:
        raise ValueError("This is a private key. Register the public half of the pair, as a JSON Web Key Set.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError('This is no JSON Web Key Set, such as {"keys": [{"kty": "EC", ...}]}.') from error
    return check_public_keys(document)


def check_public_keys(document: object) -> list[dict[str, str]]:
    """Return the public keys of a key set, or of an array of keys, as they are stored: kty, kid, alg, use and the key.

    Raises ValueError with a sentence.
    """
    keys = document.get("keys") if isinstance(document, Mapping) else document
    if not isinstance(keys, list):
        raise ValueError('A JSON Web Key Set is an object with an array in "keys" (RFC 7517 section 5).')
    if len(keys) > MAX_KEYS:
        raise ValueError(f"An application has at most {MAX_KEYS} public keys.")
    found = [_check_key(f"Key {number}", key) for number, key in enumerate(keys, 1)]
    kids = [key["kid"] for key in found]
    for number, kid in enumerate(kids, 1):
        if kid in kids[: number - 1]:
            raise ValueError(f'Key {number} has the "kid" of another one; each needs one of its own.')
    return found


def _check_key(label: str, jwk: object) -> dict[str, str]:
    """Return the stored form of a key; raises ValueError with a sentence that starts with the label."""
    if not isinstance(jwk, Mapping):
        raise ValueError(f"{label} is no JSON object.")
    kty = jwk.get("kty")
    if kty == "oct" or "k" in jwk:
        raise ValueError(f"{label} is a symmetric key. Register a public key: of type RSA, EC or OKP.")
    if _PRIVATE & jwk.keys():
        raise ValueError(f"{label} is a private key. Register the public half of the pair, and keep the other to you.")
    if not isinstance(kty, str) or kty not in _PUBLIC:
        raise ValueError(f'{label} needs "kty": RSA, EC or OKP.')
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KID_LENGTH or not (kid.isascii() and kid.isprintable()):
        raise ValueError(f'{label} needs a "kid" of 1 to {MAX_KID_LENGTH} printable ASCII characters.')
    _check_purpose(label, jwk)
    algorithm = _algorithm(label, jwk, kty)
    public = {name: value for name in _PUBLIC[kty] if isinstance(value := jwk.get(name), str)}
    if load_public_key({"kty": kty, "alg": algorithm, **public}) is None:
        raise ValueError(f"{label} is not {_NEEDED[kty]}.")
    return {"kty": kty, "kid": kid, "alg": algorithm, "use": "sig", **public}


def _check_purpose(label: str, jwk: Mapping[str, Any]) -> None:
    """Raise ValueError for a key that is not for signatures (RFC 7517 sections 4.2 and 4.3)."""
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise ValueError(
            f'{label} is not for signatures: its "use" has to be "sig", and its "key_ops" to have "verify".'
        )


def _algorithm(label: str, jwk: Mapping[str, Any], kty: str) -> str:
    """Return the one algorithm that a key is used with (RFC 8725 section 3.1)."""
    named = jwk.get("alg", _ALGORITHMS[kty][0])
    algorithm = "EdDSA" if named == "Ed25519" else named  # RFC 9864
    if algorithm not in _ALGORITHMS[kty]:
        raise ValueError(f'{label} needs "alg": {" or ".join(_ALGORITHMS[kty])} for its type.')
    return str(algorithm)


def load_public_key(jwk: Mapping[str, Any]) -> Key | None:
    """Return the key of a public JWK with the algorithm that it is used with; None for one that must not be used.

    No private member is read, so that no private key is ever loaded.
    """
    try:
        kty, named = jwk["kty"], jwk.get("alg")
        algorithm = "EdDSA" if named == "Ed25519" else named or _ALGORITHMS[kty][0]  # RFC 9864
        if algorithm not in _ALGORITHMS[kty]:
            return None
        public = jwt.PyJWK({"kty": kty} | {name: jwk[name] for name in _PUBLIC[kty]}, algorithm).key
        return Key(jwk.get("kid"), algorithm, public) if _LOADED[kty](public) else None
    except _UNUSABLE:
        return None
