"""The event loop's own connections to PostgreSQL: while one statement is under way, it begins and ends others.

A thread that waits for a statement costs more than the statement: two changes of threads, and as many turns at the
interpreter's lock (docs/decisions/0015-one-statement-on-the-event-loop.md). Nothing here waits but for a socket.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from latchkey.core.line import Asked, Line, Lost
from latchkey.core.prepared import Prepared, Question

COUNT = 4
"""Connections of a worker: while one waits for the disk, the worker begins the next refreshes."""

PAUSE = 1.0
"""Seconds from a connection that is gone, or could not be had, to the next attempt."""

LOOK_EVERY = 0.2
"""Seconds: for so long at most does a request wait for a connection that was reset."""


class Lines:
    """As many connections as can be had: each is opened by a thread of their own, and again once it is gone."""

    def __init__(self, statements: Sequence[Prepared], loop: asyncio.AbstractEventLoop, count: int = COUNT) -> None:
        self.statements, self.loop = statements, loop
        self.free: list[Line] = []
        self.open: set[Line] = set()
        self.waiting: deque[Asked] = deque()
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
            self.waiting.append(asked)
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
        except (DatabaseError, psycopg.Error):  # the threads have the same trouble, and it is they who tell of it
            self.loop.call_later(PAUSE, self.dial)
            return
        self.open.add(line)
        self.next(line)

    def look(self) -> None:
        """Hear all connections: of one that was reset, libuv tells nothing (POLLERR ends its watch)."""
        for line in tuple(self.open):
            line.hear()
        self.loop.call_later(LOOK_EVERY, self.look)

    def next(self, line: Line) -> None:
        """Give a connection to whoever has waited longest."""
        if self.waiting:
            line.ask(self.waiting.popleft())
        else:
            self.free.append(line)

    def dropped(self, line: Line) -> None:
        """Go on without a connection; where it was the last one, nobody waits any longer."""
        self.open.discard(line)
        if line in self.free:
            self.free.remove(line)
        while self.waiting and not self.open:
            self.waiting.popleft()[2].set_exception(Lost())
        self.loop.call_later(PAUSE, self.dial)
