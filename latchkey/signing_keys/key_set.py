"""Key set cached in this process: the signing keys that are not retired, read at most once a second.

No request waits for a query of its own. A retired key must be refused everywhere within 2 s, and an unavailable
database must not sign everybody out; `CACHE_SECONDS` and `MAX_STALENESS` are the two limits.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias

import structlog
from django.conf import settings
from django.db import DatabaseError

from latchkey.core import clock
from latchkey.core.crypto import derive_keys
from latchkey.core.exceptions import ServiceUnavailable
from latchkey.signing_keys.models import PRIVATE_KEY_ENCRYPTION, SigningKey
from latchkey.signing_keys.schedule import KeySchedule, select_signing_key
from latchkey.tokens.access_token import ALGORITHM, Key
from latchkey.tokens.jwk import key_from_jwk

CACHE_SECONDS = 1.0
"""Seconds within which every process refuses a retired key (docs/operations.md promises 2)."""

MAX_STALENESS = 10.0
"""Seconds since the last attempt to read, after which no thread uses the cached keys without an attempt of its own."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ScheduledKey:
    """A key with its schedule: when it signs and verifies."""

    key: Key
    schedule: KeySchedule


KeySet: TypeAlias = Mapping[str, ScheduledKey]
"""The keys that are not retired, by key id (`kid`)."""


class _Cache:
    """Process-wide cache of the key set, and when it was read (monotonic seconds)."""

    key_set: KeySet | None = None
    read_at = 0.0
    searched_at = 0.0


def current_keys() -> KeySet:
    """Return the key set: from the cache, or with one query if the cache is older than a second.

    While the database is unavailable the last keys are used; raises DatabaseError if none were read yet.
    """
    started_at = time.monotonic()
    age = started_at - _Cache.read_at
    if _Cache.key_set is None or age >= CACHE_SECONDS:
        if age < MAX_STALENESS:
            _Cache.read_at = started_at  # other threads use the last keys while this one reads
        _reload()
        _Cache.read_at = started_at
    return _Cache.key_set or {}


def find_key(kid: str) -> Key | None:
    """Return the key with this id; None if it is retired or unknown.

    An unknown id makes the cache read early, because a node whose clock is ahead may already sign with a key that was
    added just now. That happens once a second at most, so that made-up ids do not become a flood of queries.
    """
    found = current_keys().get(kid)
    if found is None and time.monotonic() - _Cache.searched_at >= CACHE_SECONDS:
        _Cache.searched_at = time.monotonic()
        _reload()
        found = (_Cache.key_set or {}).get(kid)
    return found.key if found else None


def cached_keys() -> KeySet | None:
    """Return the key set without a query; None if the cache is older than a second. Empty with HS256."""
    if settings.SIGNING_ALGORITHM == ALGORITHM:
        return {}
    return _Cache.key_set if time.monotonic() - _Cache.read_at < CACHE_SECONDS else None


def signing_key(now: datetime, key_set: KeySet | None = None) -> Key | None:
    """Return the key that signs at this time, from this key set or the current one; None for HS256.

    Call it before anything is written. Raises ServiceUnavailable if the key cannot be decrypted: services would reject
    a token that is signed with a key other than the published one.
    """
    if settings.SIGNING_ALGORITHM == ALGORITHM:
        return None
    selected = select_signing_key((current_keys() if key_set is None else key_set).values(), now)
    if selected is None or selected.key.signing_key is None:
        log.error("key.unusable", key_id=selected and selected.key.kid)
        raise ServiceUnavailable
    return selected.key


def clear_cache() -> None:
    """Clear the cache: the next call reads the table."""
    _Cache.key_set, _Cache.searched_at = None, 0.0


def _reload() -> None:
    try:
        rows = list(SigningKey.objects.exclude(verifies_until__lte=clock.now()).order_by("number"))
    except DatabaseError:
        if _Cache.key_set is None:
            raise
        return
    keys = [(_load(row.public, bytes(row.private), derive_keys("signing key")), row.schedule) for row in rows]
    _Cache.key_set = {key.kid: ScheduledKey(key, schedule) for key, schedule in keys if key and key.kid}


@lru_cache(maxsize=64)
def _load(public: str, encrypted: bytes, secrets: tuple[bytes, ...]) -> Key | None:
    """Return the key of a row, cached by row and secrets; a row that cannot be read is logged and skipped."""
    try:
        return key_from_jwk(json.loads(public), PRIVATE_KEY_ENCRYPTION.decrypt(encrypted))
    except ValueError:
        log.error("key.unusable")
        return None
