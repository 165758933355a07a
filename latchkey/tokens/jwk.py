"""Key pairs for access tokens as JSON Web Keys (RFC 7517): generate, identify, publish, store and load.

The key id is the thumbprint of the public key (RFC 7638), so it needs no register and cannot name another key.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from jwt.algorithms import get_default_algorithms

from latchkey.tokens.access_token import Key

RSA_BITS = 3072
"""Bits of an RSA modulus, 128 bits of strength as for EdDSA and ES256; NIST SP 800-57 part 1 ends 2048 in 2030."""

_GENERATORS: dict[str, Callable[[], Any]] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RS256": lambda: rsa.generate_private_key(65537, RSA_BITS),
}
ALGORITHMS = tuple(_GENERATORS)
_MEMBERS = {"OKP": ("crv", "kty", "x"), "EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}
"""The public members of a JWK by key type, all of which are required (RFC 7638 section 3.2, RFC 8037 section 2)."""


def generate(algorithm: str) -> Key:
    """Generate a key pair for EdDSA (Ed25519), ES256 or RS256."""
    while True:
        private = _GENERATORS[algorithm]()
        kid = thumbprint(_public_members(algorithm, private.public_key()))
        if not kid.startswith("-"):  # one in 64 would look like an option on the command line
            return Key(kid, algorithm, private.public_key(), private)


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the SHA-256 thumbprint of a public JWK: 43 characters (RFC 7638 section 3)."""
    required = {name: jwk[name] for name in sorted(_MEMBERS[jwk["kty"]])}
    text = json.dumps(required, separators=(",", ":"))
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def public_jwk(key: Key) -> dict[str, Any]:
    """Return the public JWK of a key. Its members are listed by name, so that no private one can be included."""
    members = _public_members(key.algorithm, key.verification_key)
    return {**members, "use": "sig", "alg": key.algorithm, "kid": key.kid}


def _public_members(algorithm: str, public: Any) -> dict[str, Any]:
    jwk: Any = get_default_algorithms()[algorithm].to_jwk(public, as_dict=True)
    return {name: jwk[name] for name in _MEMBERS[jwk["kty"]]}


def to_pkcs8(key: Key) -> bytes:
    """Return the private key in PKCS #8 DER, unencrypted: only to be encrypted and stored."""
    der: bytes = key.signing_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return der


def key_from_jwk(jwk: Mapping[str, Any], private: bytes | None) -> Key:
    """Return the key of a public JWK and its private key (PKCS #8, or None); raises ValueError if either is invalid."""
    if jwk.get("alg") not in ALGORITHMS:
        raise ValueError("unsupported algorithm")
    try:
        public = jwt.PyJWK(dict(jwk), jwk["alg"]).key
        return Key(jwk["kid"], jwk["alg"], public, private and load_der_private_key(private, None))
    except (jwt.PyJWTError, LookupError, TypeError) as error:
        raise ValueError("invalid key") from error
