"""Key pairs for access tokens: made, named, published (RFC 7517), and put into bytes and back."""

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
"""128 bits of strength; NIST SP 800-57 part 1 ends 2048 with the year 2030. EdDSA and ES256 have 128 as well."""

_GENERATORS: dict[str, Callable[[], Any]] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RS256": lambda: rsa.generate_private_key(65537, RSA_BITS),
}
ALGORITHMS = tuple(_GENERATORS)
_MEMBERS = {"OKP": ("crv", "kty", "x"), "EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}
"""What is public of a key, and all of it (RFC 7638 section 3.2, RFC 8037 section 2)."""


def generate(algorithm: str) -> Key:
    """Make a key pair for EdDSA (Ed25519), ES256 or RS256."""
    while True:
        private = _GENERATORS[algorithm]()
        kid = thumbprint(_public_members(algorithm, private.public_key()))
        if not kid.startswith("-"):  # one in 64 would pass for an option on the command line
            return Key(kid, algorithm, private.public_key(), private)


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the SHA-256 thumbprint of a public key, 43 characters (RFC 7638 section 3)."""
    required = {name: jwk[name] for name in sorted(_MEMBERS[jwk["kty"]])}
    text = json.dumps(required, separators=(",", ":"))
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def public_jwk(key: Key) -> dict[str, Any]:
    """Return what everybody may know of a key: its public members by name, so that no private one can slip in."""
    members = _public_members(key.algorithm, key.verification_key)
    return {**members, "use": "sig", "alg": key.algorithm, "kid": key.kid}


def _public_members(algorithm: str, public: Any) -> dict[str, Any]:
    jwk: Any = get_default_algorithms()[algorithm].to_jwk(public, as_dict=True)
    return {name: jwk[name] for name in _MEMBERS[jwk["kty"]]}


def to_pkcs8(key: Key) -> bytes:
    """Return the private half (PKCS #8), in the clear: for encryption, and for nothing else."""
    der: bytes = key.signing_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return der


def key_from_jwk(jwk: Mapping[str, Any], private: bytes | None) -> Key:
    """Return the key of which these are the public JWK and the private half; raises ValueError for anything else."""
    if jwk.get("alg") not in ALGORITHMS:
        raise ValueError("not an algorithm of ours")
    try:
        public = jwt.PyJWK(dict(jwk), jwk["alg"]).key
        return Key(jwk["kid"], jwk["alg"], public, private and load_der_private_key(private, None))
    except (jwt.PyJWTError, LookupError, TypeError) as error:
        raise ValueError("not a key of ours") from error
