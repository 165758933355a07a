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


def prune(batch: int = BATCH) -> Iterator[PruneBatch]:
    """Scan the table along its primary key and delete ended sessions, batch by batch. It only saves disk space.

    There is no index on expires_at, as each refresh would have to write it. Each batch is a statement of its own, and
    between two of them other writers get as much time as one took.
    """
    now, last = clock.now(), -1
    while ids := list(Session.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:batch]):
        began = time.monotonic()
        deleted, _ = Session.objects.prunable(now).filter(pk__gt=last, pk__lte=ids[-1]).delete()
        last = ids[-1]
        yield PruneBatch(len(ids), deleted)
        time.sleep(time.monotonic() - began)
