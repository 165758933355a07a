"""One PostgreSQL connection of the event loop: it runs prepared statements, one at a time, without a thread.

It uses libpq's asynchronous functions (PostgreSQL's manual, section 32.4) and a reader on the event loop that stays
for the life of the connection. psycopg's own `AsyncConnection.wait` adds and removes a reader and a timer for each
statement, which costs more than 5 % of a refresh (docs/decisions/0015-sql-on-the-event-loop.md).
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

import psycopg
from django.db import OperationalError
from psycopg.errors import LockNotAvailable, QueryCanceled
from psycopg.pq.abc import PGresult

from latchkey.db.postgresql.connection import AnswerTimeout
from latchkey.db.statements import PreparedStatement, error_from, is_untracked

PendingQuery: TypeAlias = tuple[PreparedStatement, list[bytes], "asyncio.Future[PGresult]"]
"""A prepared statement, its encoded parameters, and the future of the coroutine that waits for its result."""

TIMEOUT_ERRORS = (LockNotAvailable, QueryCanceled)
"""Errors of `lock_timeout` and `statement_timeout`: nothing was executed, and a second try would take as long again."""


class ConnectionLost(Exception):
    """No result, because there is no usable connection, or none in time: the statement was not executed.

    Also raised for SQL errors other than time limits: a thread runs the statement again, and reports what is wrong.
    """


class StatementLost(ConnectionLost):
    """The connection broke before the result of a statement arrived: whether it was executed is unknown."""


class AsyncConnection:
    """A connection that Django has opened, driven by the event loop; at most one statement is pending.

    `on_idle` is called when the connection can take the next statement, `on_close` when it is closed.
    """

    def __init__(
        self,
        database: Any,
        loop: asyncio.AbstractEventLoop,
        on_idle: Callable[["AsyncConnection"], None],
        on_close: Callable[["AsyncConnection"], None],
    ) -> None:
        self.database, self.pgconn, self.loop = database, database.connection.pgconn, loop
        self.socket, self.on_idle, self.on_close = self.pgconn.socket, on_idle, on_close
        self.pending: PendingQuery | None = None
        self.result: PGresult | None = None
        self.seen_pending: PendingQuery | None = None
        self.seen_at = 0.0
        loop.add_reader(self.socket, self.on_readable)

    def send(self, query: PendingQuery) -> None:
        """Send a prepared statement; its future gets the result, or ConnectionLost or OperationalError.

        The socket's send buffer is empty between two statements and holds one, so there is no flush to wait for.
        """
        self.pending, self.result = query, None
        try:
            self.pgconn.send_query_prepared(query[0].name, query[1])
        except psycopg.Error:
            self.close(StatementLost())

    def on_readable(self) -> None:
        """Read from the socket: a part of a result, a complete result, or the end of the connection."""
        try:
            self.pgconn.consume_input()
            while self.pending and not self.pgconn.is_busy():
                result = self.pgconn.get_result()
                if result is not None:
                    self.result = result
                elif self.result is not None:
                    self.finish(self.result, self.pending[2])
                else:  # libpq has no statement under way
                    self.close(StatementLost())
        except psycopg.Error:
            self.close(StatementLost())

    def check(self) -> None:
        """Read what has arrived, and close the connection if its statement is overdue or its server is to be left.

        Called five times a second. The time of a statement starts with the first check that sees it pending, which
        costs a statement nothing.
        """
        self.on_readable()
        if self.pending is None:
            if self.database.must_close:
                self.close(ConnectionLost())
        elif self.pending is not self.seen_pending:
            self.seen_pending, self.seen_at = self.pending, self.loop.time()
        elif self.database.answer_timeout and self.loop.time() - self.seen_at >= self.database.answer_timeout:
            self.database.leave_server()
            self.close(OperationalError(AnswerTimeout.__name__))  # a thread would probably wait for as long again

    def finish(self, result: PGresult, future: "asyncio.Future[PGresult]") -> None:
        """Resolve the future with a complete result; after an SQL error, close the connection.

        After a time limit the waiters of this connection would probably wait for the same lock. Without a connection
        they go to the threads.
        """
        error = error_from(result)
        if error:
            is_untracked(error, self.database.connection)
            self.close(
                OperationalError(type(error).__name__) if isinstance(error, TIMEOUT_ERRORS) else ConnectionLost()
            )
            return
        self.pending = None
        self.on_idle(self)
        if not future.done():
            future.set_result(result)

    def close(self, error: Exception) -> None:
        """Close the connection and set this exception on the future of the pending statement."""
        self.loop.remove_reader(self.socket)
        self.database.connection.close()  # Django's wrapper may be closed only by the thread that made it
        if self.pending and not self.pending[2].done():
            self.pending[2].set_exception(error)
        self.pending = None
        self.on_close(self)
