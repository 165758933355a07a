"""Pruning of expired codes. A user's next code deletes them, too, so this is for users who request no other."""

from collections.abc import Iterator

from latchkey.core import clock
from latchkey.email_codes.models import OneTimeCode


def prune(batch: int = 1_000) -> Iterator[int]:
    """Delete expired codes in batches, and yield the number of rows of each."""
    expired = OneTimeCode.objects.filter(expires_at__lte=clock.now())
    while ids := list(expired.order_by("pk").values_list("pk", flat=True)[:batch]):
        yield OneTimeCode.objects.filter(pk__in=ids).delete()[0]
