"""Database outages of the last minutes, as this node has seen them: from when until when the database did not answer.

The retry window of a refresh token stands still in an outage, because a client cannot get the answer of a rotation that
was committed in it (sessions/refresh.py). All workers of a node share what they have seen, as the retry of a client may
reach another worker than its first request.
"""

import mmap
import os
import struct
from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Lock

from latchkey.core import clock

SLOTS, _SLOT = 128, struct.Struct("dd")
"""Places in shared memory: each process writes its latest outage to its own, as two POSIX times, begin and end."""

MAX_GAP = timedelta(seconds=8)
"""Failures that are no further apart are one outage: each process tries the database every 6 s (mail/worker.py)."""

MAX_OUTAGE = timedelta(minutes=15)
"""What is believed of one outage at most, so that a failure that lasts does not keep the window open for hours."""

_shared = mmap.mmap(-1, SLOTS * _SLOT.size)  # anonymous and shared: processes that are forked have the same memory
_lock = Lock()


def record_outage(started_at: datetime) -> None:
    """Record that the database did not answer this process from started_at until now."""
    offset, now = os.getpid() % SLOTS * _SLOT.size, clock.now().timestamp()
    began = min(started_at.timestamp(), now)
    with _lock:
        last_began, last_ended = _SLOT.unpack_from(_shared, offset)
        if began - MAX_GAP.total_seconds() <= last_ended <= now:
            began = max(min(began, last_began), now - MAX_OUTAGE.total_seconds())
        _SLOT.pack_into(_shared, offset, began, now)


def unanswered_time(since: datetime, until: datetime) -> timedelta:
    """Return for how long between these two times the database did not answer, as far as this node knows."""
    total, reached = 0.0, since.timestamp()
    for began, ended in sorted(_outages()):
        ended = min(ended, until.timestamp())  # noqa: PLW2901 - cut to the interval
        total += max(0.0, ended - max(began, reached))
        reached = max(reached, ended)
    return timedelta(seconds=total)


def clear() -> None:
    """Forget all outages."""
    _shared[:] = bytes(len(_shared))


def _outages() -> Iterator[tuple[float, float]]:
    return ((began, ended) for began, ended in _SLOT.iter_unpack(_shared) if ended)
