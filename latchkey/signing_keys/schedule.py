"""Schedule of a signing key: when it is published, signs, verifies and is refused. A pure function of stored times.

          published, not signing         signing            verifying only           refused
    ------|----------------------|-------------------|------------------------|----------------
      created_at             signs_from          retires_at             verifies_until

All nodes agree without communication, even if their clocks differ: a node signs with a key only before `retires_at` by
its own clock, so its tokens expire before `verifies_until`. When any clock says that the key is retired, they are over.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

JWKS_MAX_AGE = timedelta(minutes=5)
"""How long others may cache the published keys (`Cache-Control: max-age`)."""
PREPUBLISH = timedelta(minutes=10)
"""How long a key is published before it signs: longer than any copy without it is cached."""
PROPAGATION = timedelta(seconds=2)
"""Time within which every process has read a change of the key set."""
MAX_CLOCK_SKEW = timedelta(seconds=60)
"""Largest difference between the clocks of two nodes: one 30 s ahead, the other 30 s behind."""
VERIFY_GRACE = timedelta(hours=1) + MAX_CLOCK_SKEW
"""How long a key verifies after it has stopped signing: the longest lifetime of an access token, and a margin."""


class State(StrEnum):
    """State of a key at a time: published only, signing, verifying only, refused."""

    UPCOMING = "upcoming"
    SIGNING = "signing"
    RETIRING = "retiring"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class KeySchedule:
    """The three times of a key; None means never."""

    signs_from: datetime
    retires_at: datetime | None = None
    verifies_until: datetime | None = None

    def state(self, now: datetime) -> State:
        """Return the state of the key at this time."""
        if self.verifies_until and now >= self.verifies_until:
            return State.RETIRED
        if self.retires_at and now >= self.retires_at:
            return State.RETIRING
        return State.UPCOMING if now < self.signs_from else State.SIGNING


class HasSchedule(Protocol):
    """A key with a schedule: a database row or a cached key."""

    @property
    def schedule(self) -> KeySchedule: ...


KeyT = TypeVar("KeyT", bound=HasSchedule)


def select_signing_key(keys: Iterable[KeyT], now: datetime) -> KeyT | None:
    """Return the key to sign with: of the signing keys the newest; else the upcoming key that signs first, if any.

    There is no signing key but an upcoming one if this node's clock is behind that of the node which added the first.
    """
    states = [(key.schedule.state(now), key) for key in keys]
    signing = [key for state, key in states if state == State.SIGNING]
    if signing:
        return max(signing, key=lambda key: key.schedule.signs_from)
    upcoming = [key for state, key in states if state == State.UPCOMING]
    return min(upcoming, key=lambda key: key.schedule.signs_from, default=None)
