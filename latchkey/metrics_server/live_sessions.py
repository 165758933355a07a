"""How many sessions are live, without counting a hundred million of them."""

import time

from latchkey.core import clock
from latchkey.sessions.models import ID_BITS, Session

SAMPLE_SIZE = 10_000
"""Sessions looked at: up to so many the number is exact, past that its standard error is 1 %."""

CACHE_SECONDS = 60.0
"""Seconds for which a number is told again."""


class _Cache:
    number = 0.0
    expires_at = 0.0


def live_sessions() -> float:
    """Return how many sessions sign somebody in; raises DatabaseError.

    Ids are drawn evenly from all that there are, so the lowest are a fair sample: where the ten-thousandth lies says
    how many there are in all. Two statements along the primary key, whatever the size of the table.
    """
    asked_at = time.monotonic()
    if asked_at >= _Cache.expires_at:
        _Cache.number, _Cache.expires_at = estimate(), asked_at + CACHE_SECONDS
    return _Cache.number


def estimate(sample: int = SAMPLE_SIZE) -> float:
    live = Session.objects.live(clock.now())
    last = Session.objects.order_by("pk").values_list("pk", flat=True)[sample - 1 : sample].first()
    share = 1.0 if last is None else (last + 1) / 2**ID_BITS
    return round((live if last is None else live.filter(pk__lte=last)).count() / share)


def clear_cache() -> None:
    """Count anew for whoever asks next."""
    _Cache.expires_at = 0.0
