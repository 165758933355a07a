"""Pruning of mails that were sent, or failed, a week ago."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q

from latchkey.core import clock
from latchkey.mail.models import Mail

RETENTION = timedelta(days=7)
"""Counted from when a mail was written; long enough to answer whether somebody's mail was sent."""


def prune(batch: int = 1_000) -> Iterator[int]:
    """Walk the table in batches along its primary key, and yield how many rows of each were deleted.

    Mails that wait stay, however old they are. Ids grow with time, so the walk ends at the first young mail, and needs
    no index on the time.
    """
    before, last = clock.now() - RETENTION, 0
    old = Mail.objects.filter(~Q(sent_at=None) | ~Q(failed_at=None), created_at__lt=before)
    while rows := list(Mail.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "created_at")[:batch]):
        first, (last, youngest) = rows[0][0], rows[-1]
        yield old.filter(pk__gte=first, pk__lte=last).delete()[0]
        if youngest >= before:
            return
