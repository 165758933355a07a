"""Delete the rows of mails that were sent or given up a while ago."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q

from latchkey.core import clock
from latchkey.mail.models import Mail

RETENTION = timedelta(days=7)
"""From when a mail was written; long enough to answer whether somebody's mail went out."""


def prune(batch: int = 1_000) -> Iterator[int]:
    """Walk the table along its primary key, up to what is younger, and say how many rows each batch had to delete.

    What still waits stays, however old it is. Ids grow with the time, so that no index on it is needed.
    """
    before, last = clock.now() - RETENTION, 0
    old = Mail.objects.filter(~Q(sent_at=None) | ~Q(failed_at=None), created_at__lt=before)
    while rows := list(Mail.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "created_at")[:batch]):
        first, (last, youngest) = rows[0][0], rows[-1]
        yield old.filter(pk__gte=first, pk__lte=last).delete()[0]
        if youngest >= before:
            return
