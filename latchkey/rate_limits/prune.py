"""Delete the rows of attempts that no longer tell anything."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q

from latchkey.core import clock
from latchkey.rate_limits.models import Attempt

ADDRESS_RETENTION, ACCOUNT_RETENTION = timedelta(days=1), timedelta(days=180)
"""After the last attempt: an address has forgotten everything in a day; an account and its devices are kept longer."""


def prune(batch: int = 1_000) -> Iterator[int]:
    """Delete in batches, and say how many each had; what still has to wait is kept, so no wait gets shorter."""
    now = clock.now()
    old = [int((now - kept).timestamp() * 1000) for kept in (ADDRESS_RETENTION, ACCOUNT_RETENTION)]
    idle = Attempt.objects.filter(Q(account="", last_at__lt=old[0]) | Q(last_at__lt=old[1]))
    spent = idle.filter(blocked_until__lt=int(now.timestamp() * 1000))
    while keys := list(spent.values_list("account", "address")[:batch]):
        yield spent.filter(pk__in=keys).delete()[0]
