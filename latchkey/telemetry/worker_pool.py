"""Bookkeeping of a thread pool: its request queue and which of its threads are busy.

In `telemetry` because the gauges of the metrics read it; the threads themselves are `server.rsgi`'s.
"""

from typing import Any, Protocol


class RequestQueue(Protocol):
    """A queue of requests: what the threads and the gauges need of it."""

    def get(self) -> Any:
        """Wait for an item and return it."""

    def qsize(self) -> int:
        """Return the number of items."""


class ThreadPool:
    """The queue of a pool of request threads, and a flag for each thread that is answering a request."""

    def __init__(self, threads: int, queue: RequestQueue) -> None:
        self.queue, self.busy = queue, [False] * threads
