"""How many sessions are live, without counting a hundred million of them."""

import time

from latchkey.core import clock
from latchkey.sessions.models import ID_BITS, Session

SAMPLE = 10_000
"""Sessions looked at: up to so many the number is exact, past that its standard error is 1 %."""

KEPT = 60.0
"""Seconds for which a number is told again."""


class _Held:
    number = 0.0
    until = 0.0


def live_sessions() -> float:
    """Return how many sessions sign somebody in; raises DatabaseError.

    Ids are drawn evenly from all that there are, so the lowest are a fair sample: where the ten-thousandth lies says
    how many there are in all. Two statements along the primary key, whatever the size of the table.
    """
    asked_at = time.monotonic()
    if asked_at >= _Held.until:
        _Held.number, _Held.until = estimated(), asked_at + KEPT
    return _Held.number


def estimated(sample: int = SAMPLE) -> float:
    live = Session.objects.live(clock.now())
    last = Session.objects.order_by("pk").values_list("pk", flat=True)[sample - 1 : sample].first()
    share = 1.0 if last is None else (last + 1) / 2**ID_BITS
    return round((live if last is None else live.filter(pk__lte=last)).count() / share)


def forget() -> None:
    """Count anew for whoever asks next."""
    _Held.until = 0.0
