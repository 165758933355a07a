"""Delete codes that have expired; issuing deletes those of its user by itself."""

from collections.abc import Iterator

from latchkey.core import clock
from latchkey.email_codes.models import OneTimeCode


def prune(batch: int = 1_000) -> Iterator[int]:
    """Delete in batches, and say how many each had."""
    expired = OneTimeCode.objects.filter(expires_at__lte=clock.now())
    while ids := list(expired.order_by("pk").values_list("pk", flat=True)[:batch]):
        yield OneTimeCode.objects.filter(pk__in=ids).delete()[0]
