"""Connection pool of the event loop for PostgreSQL: refresh, me and verify run their statement without a thread.

A thread that waits for a statement costs more than the statement: two thread switches, and the interpreter's lock (GIL)
as often (docs/decisions/0015-sql-on-the-event-loop.md). Nothing here blocks: a coroutine waits for a socket, or for an
idle connection with a deadline.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import structlog
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from latchkey.db.async_connection import AsyncConnection, ConnectionLost
from latchkey.db.batches import MAX_BATCH, BatchedStatement, BatchFailed, Pending, PendingBatch, PendingQuery
from latchkey.db.statements import PreparedStatement, Query, supports_prepared

POOL_SIZE = 4
"""Connections of each worker process: one for each statement under way, and others for when one of them is stuck."""

MAX_BATCH_DELAY = 0.003
"""Seconds that a request waits for the same statement to end while a connection is idle: that one may wait for a locked
row or a slow disk."""

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

PLANNER_OPTIONS = " ".join(
    f"-c {option}"
    for option in (
        "plan_cache_mode=force_generic_plan",
        "enable_hashjoin=off",
        "enable_mergejoin=off",
        "enable_seqscan=off",
    )
)
"""One plan for all batches: their rows by the index, one after the other in the order of the batch.

PostgreSQL would otherwise plan each batch anew for its number of members, which takes longer than the batch itself, and
might take the rows of two batches in different orders, as it still may while there are fewer users than members. A
PgBouncer does not pass these options on.
"""

log = structlog.get_logger(__name__)


class AsyncPool:
    """A fixed number of connections, opened by a thread of the pool's own and reopened when they are lost.

    A request is sent at once, alone, unless the same statement is under way. Requests that come meanwhile are sent
    together as soon as it has ended, or after MAX_BATCH_DELAY: no batch waits to become larger. All methods but `_open`
    run on the event loop, so there is no lock.
    """

    def __init__(
        self, statements: Sequence[BatchedStatement], loop: asyncio.AbstractEventLoop, count: int = POOL_SIZE
    ) -> None:
        self.statements, self.loop = statements, loop
        self.idle: list[AsyncConnection] = []
        self.connections: set[AsyncConnection] = set()
        self.waiters: deque[PendingQuery] = deque()  # oldest first
        self.under_way: dict[AsyncConnection, PreparedStatement] = {}
        self.in_flight: Counter[PreparedStatement] = Counter()  # of how many connections it is under way
        self.has_timer = False
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
        statement, parameters = query
        values = statement.encode(parameters)
        try:
            return await self._start(PendingQuery(statement, values, self.loop.create_future(), self.loop.time()))
        except BatchFailed:
            alone = PendingQuery(statement, values, self.loop.create_future(), self.loop.time())
            alone.is_alone = True
            return await self._start(alone)

    def _start(self, pending: PendingQuery) -> "asyncio.Future[list[tuple[Any, ...]]]":
        """Send a request, or let it wait for the same statement that is under way; return its future."""
        if not self.connections:
            raise ConnectionLost
        self.waiters.append(pending)
        if not self.in_flight[pending.statement]:
            self._send_waiters()
        elif not self.has_timer:
            self.has_timer = True
            self.loop.call_later(MAX_BATCH_DELAY, self._on_timer)
        return pending.future

    def _on_timer(self) -> None:
        """Send the waiters on an idle connection, although the statement that they wait for has not ended."""
        self.has_timer = False
        self._send_waiters()

    def _send_waiters(self) -> None:
        while self.waiters and self.idle:
            self.release(self.idle.pop())

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
        shared, options = database.settings_dict, database.settings_dict["OPTIONS"]
        startup = f"{PLANNER_OPTIONS} {options.get('options', '')}".strip()
        database.settings_dict = shared | {"OPTIONS": options | {"options": startup}}
        database.connect()
        database.settings_dict = shared  # whose prepare_threshold says whether prepared statements are used
        try:
            with database.wrap_database_errors:
                for statement in self.statements:
                    statement.prepare(database.connection)
                    statement.batch.prepare(database.connection)
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
        while self.waiters and self.waiters[0].arrived_at < self.loop.time() - ACQUIRE_TIMEOUT:
            self.waiters.popleft().fail(ConnectionLost())

    def release(self, connection: AsyncConnection) -> None:
        """Send the waiter that came first and all that can join it, or keep the connection for the next request."""
        self._finish(connection)
        if connection.database.must_close:  # its server did not answer another connection
            connection.close(ConnectionLost())
            return
        while self.waiters:
            first = self.waiters.popleft()
            if not first.future.done():
                self.under_way[connection] = first.statement
                self.in_flight[first.statement] += 1
                connection.send(self._join(first))
                return
        self.idle.append(connection)

    def _finish(self, connection: AsyncConnection) -> None:
        """Forget the statement that was under way on a connection."""
        statement = self.under_way.pop(connection, None)
        if statement:
            self.in_flight[statement] -= 1

    def _join(self, first: PendingQuery) -> Pending:
        """Take the waiters that can be sent together with this one out of the queue; return them all as one."""
        statement, members = first.statement, [first]
        if not self.waiters or first.is_alone or not isinstance(statement, BatchedStatement):
            return first
        waiters, self.waiters, keys = self.waiters, deque(), {statement.key(first)}
        for waiter in waiters:
            can_join = waiter.statement is statement and len(members) < MAX_BATCH and not waiter.is_alone
            if can_join and statement.key(waiter) not in keys:
                members.append(waiter)
                keys.add(statement.key(waiter))
            else:
                self.waiters.append(waiter)
        return PendingBatch(statement, members) if len(members) > 1 else first

    def _on_closed(self, connection: AsyncConnection) -> None:
        """Remove a closed connection and schedule a new one; without any connection, all waiters leave at once."""
        self._finish(connection)
        self.connections.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)
        while self.waiters and not self.connections:
            self.waiters.popleft().fail(ConnectionLost())
        self.loop.call_later(RECONNECT_DELAY, self.connect)
