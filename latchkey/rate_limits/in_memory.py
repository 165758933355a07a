"""Rate limits in memory: of made-up tokens and wrong client secrets, and of tickets that anybody may ask for.

A random token of 110 bits cannot be guessed, so this only makes guessing visible, and must not cost a write; a valid
one is never counted and never limited. Tickets are rows, so their number is limited.
"""

from datetime import datetime, timedelta
from threading import Lock

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import ClientInfo, client_network
from latchkey.core.exceptions import TooManyAttempts

MAX_PER_WINDOW, WINDOW = 50, timedelta(minutes=1)
"""Invalid tokens allowed per address, in each process and in this time."""
MAX_ADDRESSES = 10_000
"""Addresses that are counted at most; then the one whose window started first is dropped."""

_counts: dict[str, tuple[datetime, int]] = {}
_lock = Lock()


def count_invalid_token(client: ClientInfo, reason: str = "refresh") -> None:
    """Count an invalid token: 50 per minute and address in this process, then 429 until the minute is over.

    `reason` is what the log says about the limit, such as 'refresh'. Raises TooManyAttempts over the limit. Without an
    address nothing is counted.
    """
    if address := client_network(client.address):
        _count(address, client, reason)


def count_ticket(client: ClientInfo) -> None:
    """Count a ticket for a sign-in with a passkey, under the same limit apart; raises TooManyAttempts."""
    if address := client_network(client.address):
        _count(f"ticket {address}", client, "passkey")


def _count(key: str, client: ClientInfo, reason: str) -> None:
    now = clock.now()
    with _lock:
        started_at, count = _counts.get(key, (now, 0))
        if not timedelta(0) <= now - started_at < WINDOW:
            started_at, count = now, 0
            _counts.pop(key, None)  # a new window goes to the end of the dict
        _counts[key] = started_at, count + 1
        if len(_counts) > MAX_ADDRESSES:
            del _counts[next(iter(_counts))]
    if count >= MAX_PER_WINDOW:
        record(Event.RATE_LIMIT_EXCEEDED, client, reason=reason)
        raise TooManyAttempts(headers={"Retry-After": str((WINDOW - (now - started_at)).seconds + 1)})


def clear() -> None:
    """Forget all counts."""
    _counts.clear()
