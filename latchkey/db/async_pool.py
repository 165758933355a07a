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

from latchkey.db.async_connection import AsyncConnection, ConnectionLost, PendingQuery
from latchkey.db.statements import PreparedStatement, Query

POOL_SIZE = 4
"""Connections of a worker: while one waits for the disk, the worker begins the next refreshes."""

RECONNECT_DELAY = 1.0
"""Seconds from a connection that is gone, or could not be had, to the next attempt."""

HEALTH_CHECK_INTERVAL = 0.2
"""Seconds: for so long at most does a request wait for a connection that was reset (POLLERR ends libuv's watch)."""

ACQUIRE_TIMEOUT = 1.0
"""Seconds for which a request waits for its turn; then a thread begins it anew.

It has read the clock by then. A refresh that waited for longer than the retry window would be stored as that old, and
its repetition be taken for a replay.
"""

log = structlog.get_logger(__name__)


class AsyncPool:
    """As many connections as can be had: each is opened by a thread of their own, and again once it is gone."""

    def __init__(
        self, statements: Sequence[PreparedStatement], loop: asyncio.AbstractEventLoop, count: int = POOL_SIZE
    ) -> None:
        self.statements, self.loop = statements, loop
        self.idle: list[AsyncConnection] = []
        self.connections: set[AsyncConnection] = set()
        self.waiters: deque[tuple[float, PendingQuery]] = deque()  # since when, and for what
        self.connector = ThreadPoolExecutor(1, "lines")
        for _ in range(count):
            self.connect()
        self._health_check()

    async def fetch(self, query: Query) -> list[tuple[Any, ...]]:
        """Execute a statement and return its rows; raises Lost, or OperationalError where that takes too long."""
        if not self.connections:
            raise ConnectionLost
        statement, parameters = query
        asked = statement, statement.encode(parameters), self.loop.create_future()
        if self.idle:
            self.idle.pop().send(asked)
        else:
            self.waiters.append((self.loop.time(), asked))
        return statement.decode(await asked[2])

    def connect(self) -> None:
        """Have the thread open a connection; it is tried again until there is one."""
        self.loop.run_in_executor(self.connector, self._open).add_done_callback(self._on_connected)

    def _open(self) -> Any:
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

    def _on_connected(self, opening: "asyncio.Future[Any]") -> None:
        try:
            line = AsyncConnection(opening.result(), self.loop, self.release, self._on_closed)
        except Exception as error:  # whatever it is may pass
            if not isinstance(error, (DatabaseError, psycopg.Error)):  # those the threads have too, and tell of
                log.exception("request_failed")
            self.loop.call_later(RECONNECT_DELAY, self.connect)
            return
        self.connections.add(line)
        self.release(line)

    def _health_check(self) -> None:
        """Hear all connections, for of one that was reset libuv tells nothing; and see who has waited too long."""
        self.loop.call_later(HEALTH_CHECK_INTERVAL, self._health_check)
        for line in tuple(self.connections):
            line.on_readable()
        while self.waiters and self.waiters[0][0] < self.loop.time() - ACQUIRE_TIMEOUT:
            self._expire_waiter()

    def release(self, line: AsyncConnection) -> None:
        """Give a connection to whoever has waited longest."""
        while self.waiters:
            _, asked = self.waiters.popleft()
            if not asked[2].done():
                line.send(asked)
                return
        self.idle.append(line)

    def _on_closed(self, line: AsyncConnection) -> None:
        """Go on without a connection; where it was the last one, nobody waits any longer."""
        self.connections.discard(line)
        if line in self.idle:
            self.idle.remove(line)
        while self.waiters and not self.connections:
            self._expire_waiter()
        self.loop.call_later(RECONNECT_DELAY, self.connect)

    def _expire_waiter(self) -> None:
        """Have whoever has waited longest go to the threads."""
        _, asked = self.waiters.popleft()
        if not asked[2].done():
            asked[2].set_exception(ConnectionLost())
