"""Refresh tokens: version-4 UUIDs in two halves, pure arithmetic.

    xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx
    |--- selector: 60 bits ---|--- verifier: 62 bits ---|

The selector finds the session and never changes; the verifier proves the bearer and changes with every
rotation (the split-token pattern). The database keeps digests under a key that it does not hold, so a
leaked database signs nobody in. A successor is derived, not drawn: whoever asks twice with the same
token, at once or after a lost response, is told the same next token, and so sessions cannot fork.
"""

import hmac
from uuid import UUID, uuid4

_DIGEST, _SUCCESSOR = b"\x01", b"\x02"
_VERIFIER_BITS = 62
_VERIFIER_MASK = (1 << _VERIFIER_BITS) - 1


def generate() -> UUID:
    """Return a new token: 122 bits from the operating system's generator."""
    return uuid4()


def selector(token: UUID) -> int:
    """Return the token's first 60 free bits, those around the version digit."""
    high = token.int >> 64
    return high >> 16 << 12 | high & 0xFFF


def digest(key: bytes, token: UUID) -> bytes:
    """Return what the database keeps of a token: 32 bytes."""
    return hmac.digest(key, _DIGEST + token.bytes, "sha256")


def successor(key: bytes, token: UUID) -> UUID:
    """Return the one token that follows: the same selector, a verifier that only the key can tell."""
    verifier = int.from_bytes(hmac.digest(key, _SUCCESSOR + token.bytes, "sha256")[:8]) & _VERIFIER_MASK
    return UUID(int=token.int >> _VERIFIER_BITS << _VERIFIER_BITS | verifier)
