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
from latchkey.core.crypto import keys_for
from latchkey.core.exceptions import Unavailable
from latchkey.signing_keys.models import PRIVATE_KEYS, SigningKey
from latchkey.signing_keys.schedule import Span, signer
from latchkey.tokens.jwk import restored
from latchkey.tokens.keys import ALGORITHM, Key

READ_AT_MOST_EVERY = 1.0
"""Seconds: a key that is retired is refused in every process within this time (2 are promised)."""

OUT_OF_DATE_AFTER = 10.0
"""Seconds: nobody goes on with a ring that was last asked for so long ago; the key that signed then may be retired."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RingKey:
    """A key, and when it signs and verifies."""

    key: Key
    span: Span


Ring: TypeAlias = Mapping[str, RingKey]
"""Every key that is not retired, by its id."""


class _Held:
    """The ring as it was last read, and when; one for the process, shared by its threads."""

    ring: Ring | None = None
    read_at = 0.0
    searched_at = 0.0


def current() -> Ring:
    """Return the ring; while the database is away the last one stays. Raises DatabaseError where there is none yet."""
    asked_at = time.monotonic()
    age = asked_at - _Held.read_at
    if _Held.ring is None or age >= READ_AT_MOST_EVERY:
        if age < OUT_OF_DATE_AFTER:
            _Held.read_at = asked_at  # other threads go on with the last ring while this one reads
        _read_again()
        _Held.read_at = asked_at
    return _Held.ring or {}


def find(kid: str) -> Key | None:
    """Return the key with this id, unless it is retired or was never ours.

    An unknown id has the ring read before its time, for a node whose clock is ahead may sign with a key that was made
    just now. That too is done once a second at most: made-up ids must not become a flood of queries.
    """
    found = current().get(kid)
    if found is None and time.monotonic() - _Held.searched_at >= READ_AT_MOST_EVERY:
        _Held.searched_at = time.monotonic()
        _read_again()
        found = (_Held.ring or {}).get(kid)
    return found.key if found else None


def held() -> Ring | None:
    """Return the ring without a query, None where one is due; where the secret's own key signs, nobody needs it."""
    if settings.SIGNING_ALGORITHM == ALGORITHM:
        return {}
    return _Held.ring if time.monotonic() - _Held.read_at < READ_AT_MOST_EVERY else None


def signing_key(now: datetime, ring: Ring | None = None) -> Key | None:
    """Return the key that signs now, in this ring or else the current one; None where that is the secret's own (HS256).

    Ask before anything is written. Raises Unavailable where the ring has none that can be decrypted: a token under
    another key than the published one would be refused by whoever verifies it.
    """
    if settings.SIGNING_ALGORITHM == ALGORITHM:
        return None
    signs = signer((current() if ring is None else ring).values(), now)
    if signs is None or signs.key.signs is None:
        log.error("key.unusable", key_id=signs and signs.key.kid)
        raise Unavailable
    return signs.key


def forget() -> None:
    """Make the next question read the table again."""
    _Held.ring, _Held.searched_at = None, 0.0


def _read_again() -> None:
    try:
        rows = list(SigningKey.objects.exclude(verifies_until__lte=clock.now()).order_by("number"))
    except DatabaseError:
        if _Held.ring is None:
            raise
        return
    keys = [(_restored(row.public, bytes(row.private), tuple(keys_for("signing key"))), row.span) for row in rows]
    _Held.ring = {key.kid: RingKey(key, span) for key, span in keys if key and key.kid}


@lru_cache(maxsize=64)
def _restored(public: str, sealed: bytes, secrets: tuple[bytes, ...]) -> Key | None:
    """Return a row's key, once for the same row and secrets; a broken row is logged, and spoils no other."""
    try:
        return restored(json.loads(public), PRIVATE_KEYS.unseal(sealed))
    except ValueError:
        log.error("key.unusable")
        return None
