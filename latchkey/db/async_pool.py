"""The event loop's own connections to PostgreSQL: while one statement is under way, it begins and ends others.

A thread that waits for a statement costs more than the statement: two changes of threads, and as many turns at the
interpreter's lock (docs/decisions/0015-one-statement-on-the-event-loop.md). Nothing here waits but for a socket, or for
a connection, and not long.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import structlog
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from latchkey.db.async_connection import Asked, Line, Lost
from latchkey.db.prepared import Prepared, Question

COUNT = 4
"""Connections of a worker: while one waits for the disk, the worker begins the next refreshes."""

PAUSE = 1.0
"""Seconds from a connection that is gone, or could not be had, to the next attempt."""

LOOK_EVERY = 0.2
"""Seconds: for so long at most does a request wait for a connection that was reset (POLLERR ends libuv's watch)."""

PATIENCE = 1.0
"""Seconds for which a request waits for its turn; then a thread begins it anew.

It has read the clock by then. A refresh that waited for longer than the retry window would be stored as that old, and
its repetition be taken for a replay.
"""

log = structlog.get_logger(__name__)


class Lines:
    """As many connections as can be had: each is opened by a thread of their own, and again once it is gone."""

    def __init__(self, statements: Sequence[Prepared], loop: asyncio.AbstractEventLoop, count: int = COUNT) -> None:
        self.statements, self.loop = statements, loop
        self.free: list[Line] = []
        self.open: set[Line] = set()
        self.waiting: deque[tuple[float, Asked]] = deque()  # since when, and for what
        self.thread = ThreadPoolExecutor(1, "lines")
        for _ in range(count):
            self.dial()
        self.look()

    async def fetch(self, question: Question) -> list[tuple[Any, ...]]:
        """Execute a statement and return its rows; raises Lost, or OperationalError where that takes too long."""
        if not self.open:
            raise Lost
        statement, parameters = question
        asked = statement, statement.sent(parameters), self.loop.create_future()
        if self.free:
            self.free.pop().ask(asked)
        else:
            self.waiting.append((self.loop.time(), asked))
        return statement.rows(await asked[2])

    def dial(self) -> None:
        """Have the thread open a connection; it is tried again until there is one."""
        self.loop.run_in_executor(self.thread, self.connected).add_done_callback(self.dialled)

    def connected(self) -> Any:
        """Return a connection of Django's, with the statements prepared; raises DatabaseError."""
        database: Any = connections.create_connection(DEFAULT_DB_ALIAS)
        database.connect()
        try:
            with database.wrap_database_errors:
                for statement in self.statements:
                    statement.prepare(database.connection.pgconn)
        except DatabaseError:
            database.close()
            raise
        return database

    def dialled(self, opening: "asyncio.Future[Any]") -> None:
        try:
            line = Line(opening.result(), self.loop, self.next, self.dropped)
        except Exception as error:  # whatever it is may pass
            if not isinstance(error, (DatabaseError, psycopg.Error)):  # those the threads have too, and tell of
                log.exception("request_failed")
            self.loop.call_later(PAUSE, self.dial)
            return
        self.open.add(line)
        self.next(line)

    def look(self) -> None:
        """Hear all connections, for of one that was reset libuv tells nothing; and see who has waited too long."""
        self.loop.call_later(LOOK_EVERY, self.look)
        for line in tuple(self.open):
            line.hear()
        while self.waiting and self.waiting[0][0] < self.loop.time() - PATIENCE:
            self.send_off()

    def next(self, line: Line) -> None:
        """Give a connection to whoever has waited longest."""
        while self.waiting:
            _, asked = self.waiting.popleft()
            if not asked[2].done():
                line.ask(asked)
                return
        self.free.append(line)

    def dropped(self, line: Line) -> None:
        """Go on without a connection; where it was the last one, nobody waits any longer."""
        self.open.discard(line)
        if line in self.free:
            self.free.remove(line)
        while self.waiting and not self.open:
            self.send_off()
        self.loop.call_later(PAUSE, self.dial)

    def send_off(self) -> None:
        """Have whoever has waited longest go to the threads."""
        _, asked = self.waiting.popleft()
        if not asked[2].done():
            asked[2].set_exception(Lost())
