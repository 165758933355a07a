"""The key ring as this process knows it: one query at most once a second, and none for a request's own sake."""

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
"""Seconds: a key that is retired is refused in every process within this time (2 are promised)."""

MAX_STALENESS = 10.0
"""Seconds: nobody goes on with a ring that was last asked for so long ago; the key that signed then may be retired."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ScheduledKey:
    """A key, and when it signs and verifies."""

    key: Key
    schedule: KeySchedule


KeySet: TypeAlias = Mapping[str, ScheduledKey]
"""Every key that is not retired, by its id."""


class _Cache:
    """The ring as it was last read, and when; one for the process, shared by its threads."""

    key_set: KeySet | None = None
    read_at = 0.0
    searched_at = 0.0


def current_keys() -> KeySet:
    """Return the ring; while the database is away the last one stays. Raises DatabaseError where there is none yet."""
    asked_at = time.monotonic()
    age = asked_at - _Cache.read_at
    if _Cache.key_set is None or age >= CACHE_SECONDS:
        if age < MAX_STALENESS:
            _Cache.read_at = asked_at  # other threads go on with the last ring while this one reads
        _reload()
        _Cache.read_at = asked_at
    return _Cache.key_set or {}


def find_key(kid: str) -> Key | None:
    """Return the key with this id, unless it is retired or was never ours.

    An unknown id has the ring read before its time, for a node whose clock is ahead may sign with a key that was made
    just now. That too is done once a second at most: made-up ids must not become a flood of queries.
    """
    found = current_keys().get(kid)
    if found is None and time.monotonic() - _Cache.searched_at >= CACHE_SECONDS:
        _Cache.searched_at = time.monotonic()
        _reload()
        found = (_Cache.key_set or {}).get(kid)
    return found.key if found else None


def cached_keys() -> KeySet | None:
    """Return the ring without a query, None where one is due; where the secret's own key signs, nobody needs it."""
    if settings.SIGNING_ALGORITHM == ALGORITHM:
        return {}
    return _Cache.key_set if time.monotonic() - _Cache.read_at < CACHE_SECONDS else None


def signing_key(now: datetime, key_set: KeySet | None = None) -> Key | None:
    """Return the key that signs now, in this ring or else the current one; None where that is the secret's own (HS256).

    Ask before anything is written. Raises Unavailable where the ring has none that can be decrypted: a token under
    another key than the published one would be refused by whoever verifies it.
    """
    if settings.SIGNING_ALGORITHM == ALGORITHM:
        return None
    signs = select_signing_key((current_keys() if key_set is None else key_set).values(), now)
    if signs is None or signs.key.signing_key is None:
        log.error("key.unusable", key_id=signs and signs.key.kid)
        raise ServiceUnavailable
    return signs.key


def clear_cache() -> None:
    """Make the next question read the table again."""
    _Cache.key_set, _Cache.searched_at = None, 0.0


def _reload() -> None:
    try:
        rows = list(SigningKey.objects.exclude(verifies_until__lte=clock.now()).order_by("number"))
    except DatabaseError:
        if _Cache.key_set is None:
            raise
        return
    keys = [(_load(row.public, bytes(row.private), derive_keys("signing key")), row.schedule) for row in rows]
    _Cache.key_set = {key.kid: ScheduledKey(key, span) for key, span in keys if key and key.kid}


@lru_cache(maxsize=64)
def _load(public: str, sealed: bytes, secrets: tuple[bytes, ...]) -> Key | None:
    """Return a row's key, once for the same row and secrets; a broken row is logged, and spoils no other."""
    try:
        return key_from_jwk(json.loads(public), PRIVATE_KEY_ENCRYPTION.decrypt(sealed))
    except ValueError:
        log.error("key.unusable")
        return None
