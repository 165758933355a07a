"""Connection pool of the event loop for PostgreSQL: refresh, me and verify run their statement without a thread.

A thread that waits for a statement costs more than the statement: two thread switches, and the interpreter's lock (GIL)
as often (docs/decisions/0015-sql-on-the-event-loop.md). Nothing here blocks: a coroutine waits for a socket, or for an
idle connection with a deadline.
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
from latchkey.db.statements import PreparedStatement, Query, supports_prepared

POOL_SIZE = 4
"""Connections of each worker process: while one waits for a commit, the worker starts the next refreshes on others."""

RECONNECT_DELAY = 1.0
"""Reconnect delay: seconds from a lost connection, or a failed attempt to connect, to the next attempt."""

HEALTH_CHECK_INTERVAL = 0.2
"""Seconds between two health checks of all connections.

A request on a connection that was reset waits for so long at most: libuv stops watching a socket that reports POLLERR,
and calls no reader.
"""

ACQUIRE_TIMEOUT = 1.0
"""Seconds that a waiter waits for an idle connection; then a thread starts the request again.

The request has read the clock before it waits. A refresh that waited for longer than RETRY_WINDOW would be stored
with that old time, and its retry would count as reuse.
"""

log = structlog.get_logger(__name__)


class AsyncPool:
    """A fixed number of connections, opened by a thread of the pool's own and reopened when they are lost.

    All methods but `_open` run on the event loop, so there is no lock.
    """

    def __init__(
        self, statements: Sequence[PreparedStatement], loop: asyncio.AbstractEventLoop, count: int = POOL_SIZE
    ) -> None:
        self.statements, self.loop = statements, loop
        self.idle: list[AsyncConnection] = []
        self.connections: set[AsyncConnection] = set()
        self.waiters: deque[tuple[float, PendingQuery]] = deque()  # time of arrival, oldest first
        self.connector = ThreadPoolExecutor(1, "async-pool")
        for _ in range(count):
            self.connect()
        self._health_check()

    async def fetch(self, query: Query) -> list[tuple[Any, ...]]:
        """Execute a prepared statement and return its rows.

        Raises ConnectionLost where a thread has to run the statement instead: no connection, none idle within
        ACQUIRE_TIMEOUT, a connection lost meanwhile, or an SQL error. Raises OperationalError when PostgreSQL's time
        limit was reached.
        """
        if not self.connections:
            raise ConnectionLost
        statement, parameters = query
        pending = statement, statement.encode(parameters), self.loop.create_future()
        if self.idle:
            self.idle.pop().send(pending)
        else:
            self.waiters.append((self.loop.time(), pending))
        return statement.decode(await pending[2])

    def connect(self) -> None:
        """Open one more connection in the connector thread; a failed attempt is repeated after RECONNECT_DELAY.

        None where prepared statements turned out to get lost in a pooler: then threads execute all statements.
        """
        if not supports_prepared(connections[DEFAULT_DB_ALIAS]):
            return
        self.loop.run_in_executor(self.connector, self._open).add_done_callback(self._on_connected)

    def _open(self) -> Any:
        """Open a connection with Django's settings and prepare the statements on it; raises DatabaseError."""
        database: Any = connections.create_connection(DEFAULT_DB_ALIAS)
        database.connect()
        try:
            with database.wrap_database_errors:
                for statement in self.statements:
                    statement.prepare(database.connection)
        except DatabaseError:
            database.close()
            raise
        return database

    def _on_connected(self, opening: "asyncio.Future[Any]") -> None:
        try:
            connection = AsyncConnection(opening.result(), self.loop, self.release, self._on_closed)
        except Exception as error:  # any cause may be temporary
            if not isinstance(error, (DatabaseError, psycopg.Error)):  # the threads have these too, and log them
                log.exception("request_failed")
            self.loop.call_later(RECONNECT_DELAY, self.connect)
            return
        self.connections.add(connection)
        self.release(connection)

    def _health_check(self) -> None:
        """Check all connections, as libuv does not report a reset one, and expire waiters past their deadline."""
        self.loop.call_later(HEALTH_CHECK_INTERVAL, self._health_check)
        for connection in tuple(self.connections):
            connection.check()
        while self.waiters and self.waiters[0][0] < self.loop.time() - ACQUIRE_TIMEOUT:
            self._expire_waiter()

    def release(self, connection: AsyncConnection) -> None:
        """Give an idle connection to the waiter that came first, or keep it for the next statement."""
        while self.waiters:
            _, pending = self.waiters.popleft()
            if not pending[2].done():
                connection.send(pending)
                return
        self.idle.append(connection)

    def _on_closed(self, connection: AsyncConnection) -> None:
        """Remove a closed connection and schedule a new one; without any connection, all waiters leave at once."""
        self.connections.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)
        while self.waiters and not self.connections:
            self._expire_waiter()
        self.loop.call_later(RECONNECT_DELAY, self.connect)

    def _expire_waiter(self) -> None:
        """Remove the waiter that came first from the queue; a thread runs its statement."""
        _, pending = self.waiters.popleft()
        if not pending[2].done():
            pending[2].set_exception(ConnectionLost())
