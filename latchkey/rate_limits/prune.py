"""Delete rate limit counters that no longer have an effect."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q

from latchkey.core import clock
from latchkey.rate_limits.models import Attempt

ADDRESS_RETENTION, ACCOUNT_RETENTION = timedelta(days=1), timedelta(days=180)
"""Time since the last attempt: an address has decayed to 0 in a day; accounts and known devices are kept longer."""


def prune(batch: int = 1_000) -> Iterator[int]:
    """Delete in batches, and yield the number of rows of each. Rows that are still blocked are kept."""
    now = clock.now()
    limits = [int((now - retention).timestamp() * 1000) for retention in (ADDRESS_RETENTION, ACCOUNT_RETENTION)]
    idle = Attempt.objects.filter(Q(account="", last_at__lt=limits[0]) | Q(last_at__lt=limits[1]))
    expired = idle.filter(blocked_until__lt=int(now.timestamp() * 1000))
    while keys := list(expired.values_list("account", "address")[:batch]):
        yield expired.filter(pk__in=keys).delete()[0]
