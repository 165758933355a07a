"""Pruning of API keys that expired a while ago."""

from collections.abc import Iterator
from datetime import timedelta

from latchkey.api_keys.models import ApiKey
from latchkey.core import clock

KEPT = timedelta(days=30)
"""How long an expired key stays in the list, so that its owner sees why something has stopped working."""


def prune(batch: int = 1_000) -> Iterator[int]:
    """Delete keys that expired KEPT ago in batches, and yield the number of rows of each."""
    expired = ApiKey.objects.filter(expires_at__lte=clock.now() - KEPT).order_by("expires_at")
    while ids := list(expired.values_list("pk", flat=True)[:batch]):
        yield ApiKey.objects.filter(pk__in=ids).delete()[0]
