"""Pruning of what two-step sign-ins leave behind: expired tickets, and apps that were set up halfway."""

from collections.abc import Iterator

from latchkey.core import clock
from latchkey.factors.tickets import prune_tickets
from latchkey.factors.totp import prune_enrolments


def prune() -> Iterator[int]:
    """Delete in batches, and yield the number of rows of each."""
    yield from prune_tickets(clock.now())
    yield from prune_enrolments()
