"""Deletion of idempotency keys that are no longer known."""

from collections.abc import Iterator

from latchkey.core import clock
from latchkey.idempotency.models import IdempotencyKey
from latchkey.idempotency.stored_keys import RETENTION


def prune(batch: int = 1_000) -> Iterator[int]:
    """Delete old keys in batches, and yield the number of rows of each.

    Ids increase with time, so old rows are at one end, and a batch without any ends the search.
    """
    old = IdempotencyKey.objects.filter(created_at__lte=clock.now() - RETENTION)
    while ids := list(IdempotencyKey.objects.order_by("pk").values_list("pk", flat=True)[:batch]):
        deleted, _ = old.filter(pk__in=ids).delete()
        if not deleted:
            return
        yield deleted
