"""Pruning: delete the rows of ended sessions in small batches."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from latchkey.core import clock
from latchkey.sessions.models import Session

BATCH = 1_000
"""Rows scanned by one statement: SQLite has one writer, and a refresh must not wait 100 ms for it."""


@dataclass(frozen=True, slots=True)
class PruneBatch:
    """One batch: how many rows were scanned, and how many of them deleted."""

    scanned: int
    deleted: int


MAX_ID = 2**63 - 1
"""The largest id that a session can have (a BIGINT)."""


def prune(batch: int = BATCH, first: int = -1, last: int = MAX_ID) -> Iterator[PruneBatch]:
    """Scan the table along its primary key and delete ended sessions, batch by batch. It only saves disk space.

    Only ids after the first and up to the last one are scanned.
    There is no index on expires_at, as each refresh would have to write it. Each batch is a statement of its own, and
    between two of them other writers get as much time as one took.
    """
    now, done, scanned = clock.now(), first, Session.objects.filter(pk__lte=last).order_by("pk")
    while ids := list(scanned.filter(pk__gt=done).values_list("pk", flat=True)[:batch]):
        began = time.monotonic()
        deleted, _ = Session.objects.prunable(now).filter(pk__gt=done, pk__lte=ids[-1]).delete()
        done = ids[-1]
        yield PruneBatch(len(ids), deleted)
        time.sleep(time.monotonic() - began)
