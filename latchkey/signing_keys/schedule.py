"""When a key of the ring signs and verifies: arithmetic with times alone, so that all nodes agree without talking.

          published, not signing         signing            verifying only           refused
    ------|----------------------|-------------------|------------------------|----------------
      created_at             signs_from          retires_at             verifies_until

No clock is read here, and none has to be right: a node signs with a key only before `retires_at` by its own clock, so
the times within that token end before `verifies_until`, and by whatever clock calls the key retired the token is over.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

JWKS_MAX_AGE = timedelta(minutes=5)
"""How long others may keep the published keys."""
PREPUBLISH = timedelta(minutes=10)
"""How long a key is published before it signs: so long that every copy without it has been thrown away."""
PROPAGATION = timedelta(seconds=2)
"""In which time every process has read a change of the ring."""
MAX_CLOCK_SKEW = timedelta(seconds=60)
"""What the clocks of two nodes may differ by at most: one 30 s ahead, one 30 s behind."""
VERIFY_GRACE = timedelta(hours=1) + MAX_CLOCK_SKEW
"""How long a key verifies once it has retired: the longest lifetime that an access token can be given, and a margin."""


class State(StrEnum):
    UPCOMING = "upcoming"
    SIGNING = "signing"
    RETIRING = "retiring"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class KeySchedule:
    """The three times of a key; None is never."""

    signs_from: datetime
    retires_at: datetime | None = None
    verifies_until: datetime | None = None

    def state(self, now: datetime) -> State:
        if self.verifies_until and now >= self.verifies_until:
            return State.RETIRED
        if self.retires_at and now >= self.retires_at:
            return State.RETIRING
        return State.UPCOMING if now < self.signs_from else State.SIGNING


class HasSchedule(Protocol):
    @property
    def schedule(self) -> KeySchedule: ...


KeyT = TypeVar("KeyT", bound=HasSchedule)


def select_signing_key(keys: Iterable[KeyT], now: datetime) -> KeyT | None:
    """Return the key to sign with: the one that began last; where the clock is behind, the one that begins first."""
    states = [(key.schedule.state(now), key) for key in keys]
    begun = [key for state, key in states if state == State.SIGNING]
    if begun:
        return max(begun, key=lambda key: key.schedule.signs_from)
    upcoming = [key for state, key in states if state == State.UPCOMING]
    return min(upcoming, key=lambda key: key.schedule.signs_from, default=None)
