"""Delete the rows of ended sessions, without being in the way."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from latchkey.core import clock
from latchkey.sessions.models import Session

BATCH = 1_000
"""Rows looked at in one statement: SQLite has one writer, and a refresh must not wait 100 ms for its turn."""


@dataclass(frozen=True, slots=True)
class PruneBatch:
    """One batch: how many rows were looked at, and how many of them were deleted."""

    scanned: int
    deleted: int


def prune(batch: int = BATCH) -> Iterator[PruneBatch]:
    """Walk the table along its primary key and delete what has ended; correctness never needs this, disks do.

    No index leads to the ended rows, because an index on expires_at would have to be written at every
    refresh. Each batch is a statement of its own, and between two of them others get as much time as one took.
    """
    now, last = clock.now(), -1
    while ids := list(Session.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:batch]):
        began = time.monotonic()
        deleted, _ = Session.objects.prunable(now).filter(pk__gt=last, pk__lte=ids[-1]).delete()
        last = ids[-1]
        yield PruneBatch(len(ids), deleted)
        time.sleep(time.monotonic() - began)
