"""Form of an API key: `latchkey_`, a kind, the id of the key, a secret and a checksum, as secret scanners expect it.

latchkey_ p 8fK2xQ <43 characters of base 62> <6 characters of CRC-32 in base 62>
          |  `- id, shown in lists and logs; it is no secret
          `- p of a person, a of an application

256 random bits cannot be guessed, so the database keeps one round of SHA-256. The checksum tells a mistyped key, or a
text that only looks like one, without a look into the database.
"""

import re
import secrets
from hashlib import sha256
from typing import NamedTuple
from zlib import crc32

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX, PERSON, APPLICATION = "latchkey_", "p", "a"
ID_LENGTH, SECRET_LENGTH, CHECKSUM_LENGTH = 6, 43, 6
PATTERN = re.compile(r"latchkey_[pa][0-9A-Za-z]{55}")
"""What secret scanners look for."""


class NewKey(NamedTuple):
    """A key that was just made: its id, the key itself, which is shown once, and the digest to store (32 bytes)."""

    key_id: str
    key: str
    digest: bytes


def generate(kind: str) -> NewKey:
    """Make a key of this kind, PERSON or APPLICATION."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH + SECRET_LENGTH))
    body = f"{PREFIX}{kind}{text}"
    key = body + checksum(body)
    return NewKey(text[:ID_LENGTH], key, digest(key))


def checksum(body: str) -> str:
    """Return the CRC-32 of all characters before the checksum, in base 62 with leading zeros."""
    rest, digits = crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def looks_like_key(presented: str) -> bool:
    """Return whether a bearer token is meant as an API key, whatever follows the prefix."""
    return presented.startswith(PREFIX)


def is_well_formed(presented: str) -> bool:
    """Return whether this has the form and the checksum of a key."""
    if not PATTERN.fullmatch(presented):
        return False
    return checksum(presented[:-CHECKSUM_LENGTH]) == presented[-CHECKSUM_LENGTH:]


def digest(key: str) -> bytes:
    """Return the SHA-256 of a key, which the database keeps: 32 bytes."""
    return sha256(key.encode()).digest()
