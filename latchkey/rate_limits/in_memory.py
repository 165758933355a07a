"""Count tokens and secrets that somebody makes up; a right one is never counted, and never held up."""

from datetime import datetime, timedelta
from threading import Lock

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import TooManyAttempts
from latchkey.rate_limits.attempts import client_network

MAX_PER_WINDOW, WINDOW = 50, timedelta(minutes=1)
"""How many a network address has in each process, and in which time."""
MAX_ADDRESSES = 10_000
"""How many addresses are remembered; past that the one that began first is forgotten."""

_counts: dict[str, tuple[datetime, int]] = {}
_lock = Lock()


def count_invalid_token(client: ClientInfo, reason: str = "refresh") -> None:
    """Count one more; raises TooManyAttempts past the limit.

    In memory: 110 random bits are not guessed in a lifetime, so what matters is that it is seen, and that it
    costs no write.
    """
    place, now = client_network(client.address), clock.now()
    with _lock:
        began, count = _counts.get(place, (now, 0))
        if not timedelta(0) <= now - began < WINDOW:
            began, count = now, 0
            _counts.pop(place, None)  # it begins anew, at the end
        _counts[place] = began, count + 1
        if len(_counts) > MAX_ADDRESSES:
            del _counts[next(iter(_counts))]
    if count >= MAX_PER_WINDOW:
        record(Event.RATE_LIMIT_EXCEEDED, client, reason=reason)
        raise TooManyAttempts(headers={"Retry-After": str((WINDOW - (now - began)).seconds + 1)})


def clear() -> None:
    """Begin anew, with every address."""
    _counts.clear()
