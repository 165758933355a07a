"""Refresh tokens: version-4 UUIDs in two halves, pure arithmetic.

    xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx
    |--- selector: 60 bits ---|--- verifier: 62 bits ---|

The selector finds the session and never changes; the verifier proves the bearer and changes with every
rotation (the split-token pattern). The database keeps digests under a key that it does not hold, so a
leaked database signs nobody in. A successor is derived, not drawn: whoever asks twice with the same
token, at once or after a lost response, is told the same next token, and so sessions cannot fork.

The last 12 bits of the selector are a check on its first 48, under the same key: a token of a session that has
ended passes it, one that somebody made up does not. Nobody is let in or kept out by that; guesses are counted.
"""

import hmac
import re
import secrets
from collections.abc import Sequence
from uuid import UUID

from latchkey.core.crypto import derive_keys

UUID_PATTERN = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DIGEST, _SUCCESSOR, _CHECK = b"\x01", b"\x02", b"\x03"
_VERIFIER_BITS = 62
_VERIFIER_MASK = (1 << _VERIFIER_BITS) - 1


def generate(key: bytes) -> UUID:
    """Return a new token: 110 bits from the operating system's generator, and 12 that check the first 48 of them."""
    drawn = secrets.randbits(48)
    return UUID(int=drawn << 80 | _check(key, drawn) << 64 | secrets.randbits(_VERIFIER_BITS), version=4)


def parse(text: str) -> UUID | None:
    """Return the token that is written in its canonical 36 characters (RFC 9562 section 4), None for other text."""
    return UUID(text) if UUID_PATTERN.fullmatch(text) else None


def was_never_issued(keys: Sequence[bytes], token: UUID) -> bool:
    """Tell whether no session ever had this token; one in 4,096 that were made up goes unnoticed."""
    return all(_check(key, token.int >> 80) != token.int >> 64 & 0xFFF for key in keys)


def _check(key: bytes, drawn: int) -> int:
    return int.from_bytes(hmac.digest(key, _CHECK + drawn.to_bytes(6), "sha256")[:2]) & 0xFFF


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


def refresh_token_keys() -> tuple[bytes, ...]:
    """Return the HMAC keys of refresh tokens: 32 bytes each."""
    return derive_keys("refresh token")
