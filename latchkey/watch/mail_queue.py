"""How many mails wait to be sent, and for how long the oldest of them."""

from django.db.models import Count, Min

from latchkey.core import clock
from latchkey.mail.models import Mail

LOOKED_AT = 10_000
"""Mails at most: a queue as long as that is told of as it is."""


def mail_queue() -> tuple[float, float]:
    """Return the number of mails that wait, and the seconds since the oldest was written; raises DatabaseError.

    One statement along the partial index of what waits, which is empty nearly always.
    """
    waiting = Mail.objects.filter(sent_at=None, given_up_at=None).order_by("next_attempt_at")[:LOOKED_AT]
    counted = waiting.aggregate(number=Count("pk"), oldest=Min("created_at"))
    oldest = counted["oldest"]
    return counted["number"], max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0
