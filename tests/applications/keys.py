"""Public and private keys of applications as JSON Web Keys."""

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm


def make_jwk(kind: str = "EC", kid: str = "k1", *, private: bool = False, **more: Any) -> dict[str, Any]:
    """Return a new key of a kind: EC, P-384, OKP, RSA or RSA-1024; the public half unless it is to be private."""
    made: Any
    encode: Any
    if kind.startswith("RSA"):
        made, encode = rsa.generate_private_key(65537, int(kind[4:] or 2048)), RSAAlgorithm.to_jwk
    elif kind == "OKP":
        made, encode = ed25519.Ed25519PrivateKey.generate(), OKPAlgorithm.to_jwk
    else:
        made = ec.generate_private_key(ec.SECP384R1() if kind == "P-384" else ec.SECP256R1())
        encode = ECAlgorithm.to_jwk
    members = encode(made if private else made.public_key())
    jwk: dict[str, Any] = json.loads(members) if isinstance(members, str) else members
    return {name: value for name, value in jwk.items() if name != "key_ops"} | {"kid": kid, **more}
