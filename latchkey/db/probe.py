"""The database as health checks and metrics ask it: one thread with a connection of its own, and a short time limit.

A probe that waits for the database must not wait for the threads of requests, nor take one.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from latchkey.db.statements import fetch_all

RV = TypeVar("RV")

PROBE_SECONDS = 2.0
"""Seconds that a health check waits for the database."""


def _select_one() -> None:
    fetch_all("SELECT 1", {})


def _shorten_timeout() -> None:
    connections[DEFAULT_DB_ALIAS].answer_timeout = PROBE_SECONDS  # type: ignore[attr-defined]  # of db/postgresql


class DatabaseProbe:
    """The thread that asks; while it hangs, all others that ask get TimeoutError after PROBE_SECONDS."""

    def __init__(self) -> None:
        self.executor = ThreadPoolExecutor(1, "probe", _shorten_timeout)
        self.checking: asyncio.Future[None] | None = None

    def run(self, query: Callable[[], RV]) -> RV:
        """Run a query and return its result; raises TimeoutError after 2 s, or its error."""
        future = self.executor.submit(query)
        try:
            return future.result(PROBE_SECONDS)
        finally:
            future.cancel()  # a query that still waits behind one that hangs

    def is_ready(self) -> bool:
        """Return whether the database answers in time."""
        try:
            self.run(_select_one)
        except (DatabaseError, TimeoutError):
            return False
        return True

    async def is_ready_async(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Return the same on the event loop. All that ask at once share one query: nobody can flood the probe."""
        checking = self.checking
        if checking is None or checking.done():
            checking = self.checking = loop.run_in_executor(self.executor, _select_one)
            checking.add_done_callback(asyncio.Future.exception)  # asyncio logs exceptions that nobody reads
        done, _ = await asyncio.wait([checking], timeout=PROBE_SECONDS)
        return bool(done) and checking.exception() is None
