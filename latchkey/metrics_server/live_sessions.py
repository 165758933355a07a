"""Estimated number of live sessions, from a sample of 10,000: counting a hundred million rows would take minutes."""

import time

from latchkey.core import clock
from latchkey.sessions.models import ID_BITS, Session

SAMPLE_SIZE = 10_000
"""Sessions in the sample: up to this many the number is exact, above that its standard error is 1 %."""

CACHE_SECONDS = 60.0
"""Seconds for which the number is cached."""


class _Cache:
    number = 0.0
    expires_at = 0.0


def live_sessions() -> float:
    """Return the number of live sessions, cached for a minute; raises DatabaseError."""
    started_at = time.monotonic()
    if started_at >= _Cache.expires_at:
        _Cache.number, _Cache.expires_at = estimate(), started_at + CACHE_SECONDS
    return _Cache.number


def estimate(sample: int = SAMPLE_SIZE) -> float:
    """Estimate the number of live sessions, with two statements along the primary key whatever the size of the table.

    Session ids are random and uniform, so the lowest ids are a fair sample, and the position of the ten-thousandth
    tells how many there are.
    """
    live = Session.objects.live(clock.now())
    last = Session.objects.order_by("pk").values_list("pk", flat=True)[sample - 1 : sample].first()
    share = 1.0 if last is None else (last + 1) / 2**ID_BITS
    return round((live if last is None else live.filter(pk__lte=last)).count() / share)


def clear_cache() -> None:
    """Clear the cache: the next call of `live_sessions` counts again."""
    _Cache.expires_at = 0.0
