"""Refresh tokens: version-4 UUIDs in two halves (split token), and their digests and successors. No input or output.

    xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx
    |--- selector: 60 bits ---|--- verifier: 62 bits ---|

The selector finds the session and never changes. The verifier authenticates the holder and changes with every
rotation. The database keeps digests under a key that it does not have, so that a leaked database signs nobody in
(docs/decisions/0001). A successor is derived from its predecessor with that key, not random: two requests with the
same token, at the same time or after a lost response, get the same next token, and so a session cannot fork
(docs/decisions/0002).

The last 12 bits of the selector are a checksum over its first 48, under the same key: every issued token passes, even
one of an ended session; a made-up token does not. The checksum admits and rejects nobody; it is how guesses are
recognized and counted (docs/decisions/0006).
"""

import hmac
import re
import secrets
from collections.abc import Sequence
from uuid import UUID

from latchkey.core.crypto import derive_keys

UUID_PATTERN = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DIGEST, _SUCCESSOR, _CHECKSUM, _RETRY = b"\x01", b"\x02", b"\x03", b"\x04"  # domain separation of the uses of one key
_VERIFIER_BITS = 62
_VERIFIER_MASK = (1 << _VERIFIER_BITS) - 1


def generate(key: bytes) -> UUID:
    """Return a new token: 110 random bits from the operating system, and a checksum of 12 bits over the first 48."""
    prefix = secrets.randbits(48)
    return UUID(int=prefix << 80 | _checksum(key, prefix) << 64 | secrets.randbits(_VERIFIER_BITS), version=4)


def parse(text: str) -> UUID | None:
    """Parse the canonical 36 characters of a UUID (RFC 9562 section 4); None for any other text."""
    return UUID(text) if UUID_PATTERN.fullmatch(text) else None


def was_never_issued(keys: Sequence[bytes], token: UUID) -> bool:
    """Return whether this token was made up, by its checksum; one in 4,096 made-up tokens goes unnoticed."""
    return all(_checksum(key, token.int >> 80) != token.int >> 64 & 0xFFF for key in keys)


def _checksum(key: bytes, prefix: int) -> int:
    return int.from_bytes(hmac.digest(key, _CHECKSUM + prefix.to_bytes(6), "sha256")[:2]) & 0xFFF


def selector(token: UUID) -> int:
    """Return the selector: the first 60 bits of the token that are not the version."""
    high = token.int >> 64
    return high >> 16 << 12 | high & 0xFFF


def digest(key: bytes, token: UUID) -> bytes:
    """Return the digest of a token that the database keeps: HMAC-SHA256, 32 bytes."""
    return hmac.digest(key, _DIGEST + token.bytes, "sha256")


def successor(key: bytes, token: UUID) -> UUID:
    """Return the next token of the session: the same selector, and a verifier derived with the key."""
    verifier = int.from_bytes(hmac.digest(key, _SUCCESSOR + token.bytes, "sha256")[:8]) & _VERIFIER_MASK
    return UUID(int=token.int >> _VERIFIER_BITS << _VERIFIER_BITS | verifier)


def retry_digest(key: bytes, token: UUID, idempotency_key: str) -> bytes:
    """Return the digest of the Idempotency-Key with which this token was sent: 32 bytes, or none without a key.

    It is bound to the token, so that the same key proves nothing of another refresh.
    """
    return hmac.digest(key, _RETRY + token.bytes + idempotency_key.encode(), "sha256") if idempotency_key else b""


def refresh_token_keys() -> tuple[bytes, ...]:
    """Return the HMAC keys of refresh tokens: 32 bytes each."""
    return derive_keys("refresh token")
