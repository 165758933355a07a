"""The deadline of an answer: a request that no thread has answered in time gets 503 from the event loop.

It holds whatever the thread waits for (a database, DNS, a disk) and however many requests wait before it, because it
needs no thread. A client that gets no answer cannot tell a slow service from a dead one, and holds a connection.
"""

import asyncio
from time import perf_counter
from typing import Any

import structlog

from latchkey.core.exceptions import ServiceUnavailable

ANSWER_SECONDS = 9.0
"""Seconds from a request that has arrived whole to its answer. A statement has 7 s (conf/database.py), connecting and
waiting for a thread have the rest. A busy process needs a moment more, and the documents promise 12 s."""

LOG_INTERVAL = 10.0
"""Seconds between two log lines about overdue requests; each request has a line of its own."""

CHECK_INTERVAL = 0.25
"""Seconds between two checks of all requests that wait for a thread: cheaper than a timer for each."""

log = structlog.get_logger(__name__)


class AnswerDeadline:
    """The requests that wait for a thread or are in one; all methods run on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.arrived: dict[asyncio.Future[Any], float] = {}
        self.logged_at = 0.0
        self.check()

    async def wait(self, future: "asyncio.Future[Any]", arrived: float) -> Any:
        """Return the result of a request's future, or raise its exception; ServiceUnavailable after the deadline."""
        self.arrived[future] = arrived
        try:
            return await future
        finally:
            del self.arrived[future]

    def check(self) -> None:
        """Answer the overdue requests. Threads skip a request whose future is done; what runs in one is not stopped."""
        self.loop.call_later(CHECK_INTERVAL, self.check)
        latest = perf_counter() - ANSWER_SECONDS
        overdue = [future for future, arrived in self.arrived.items() if arrived < latest and not future.done()]
        for future in overdue:
            future.set_exception(ServiceUnavailable())
        if overdue and perf_counter() - self.logged_at > LOG_INTERVAL:
            self.logged_at = perf_counter()
            log.error("requests_timed_out", waiting=len(self.arrived), seconds=ANSWER_SECONDS)
