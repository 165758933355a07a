"""The keys that tokens are made with, the current one first; the rest verify until the operator drops them."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from latchkey.core.crypto import derive_keys

ALGORITHM = "HS256"
"""Of the keys that are derived from the secret; they have no id, and no other key may be used with it."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key and the one algorithm that it may be used with (RFC 8725 section 3.1).

    The id of a key pair is the thumbprint of its public half. `signs` is None where only that half is known.
    """

    kid: str | None
    algorithm: str
    verification_key: Any = field(hash=False, repr=False)
    signing_key: Any = field(default=None, compare=False, repr=False)


def access_token_keys() -> list[bytes]:
    """Return the HS256 keys of access tokens: 32 bytes each (RFC 7518 section 3.2)."""
    return derive_keys("access token")


def refresh_token_keys() -> list[bytes]:
    """Return the HMAC keys of refresh tokens: 32 bytes each."""
    return derive_keys("refresh token")


def hs256_keys() -> tuple[Key, ...]:
    """Return the HS256 keys with their algorithm."""
    return _hs256_keys(tuple(access_token_keys()))


@lru_cache(maxsize=8)
def _hs256_keys(secrets: tuple[bytes, ...]) -> tuple[Key, ...]:
    return tuple(Key(None, ALGORITHM, secret, secret) for secret in secrets)
