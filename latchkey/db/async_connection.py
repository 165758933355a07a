"""One PostgreSQL connection of the event loop: it runs prepared statements, one at a time, without a thread.

A statement is that of one request, or a batch for many (db/batches.py). The connection uses libpq's asynchronous
functions (PostgreSQL's manual, section 32.4) and a reader on the event loop that stays for the life of the connection.
psycopg's own `AsyncConnection.wait` adds and removes a reader and a timer for each statement, which costs more than 5 %
of a refresh (docs/decisions/0015-sql-on-the-event-loop.md).
"""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import OperationalError
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled
from psycopg.pq.abc import PGresult

from latchkey.db.batches import BatchFailed, Pending, PendingBatch
from latchkey.db.postgresql.connection import AnswerTimeout
from latchkey.db.statements import error_from, is_untracked

TIMEOUT_ERRORS = (LockNotAvailable, QueryCanceled)
"""Errors of `lock_timeout` and `statement_timeout`: nothing was executed, and a second try would take as long again."""

LOCK_ERRORS = (LockNotAvailable, DeadlockDetected)
"""Errors of a batch that another transaction was in the way of. The connection is as good as before."""


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
        self.pending: Pending | None = None
        self.result: PGresult | None = None
        self.seen_pending: Pending | None = None
        self.seen_at = 0.0
        loop.add_reader(self.socket, self.on_readable)

    def send(self, pending: Pending) -> None:
        """Send a statement; its requests get their rows, or ConnectionLost, BatchFailed or OperationalError."""
        self.pending, self.result = pending, None
        try:
            self.pgconn.send_query_prepared(pending.statement.name, pending.values)
            if self.pgconn.flush():  # a batch can be larger than what the socket's send buffer takes at once
                self.loop.add_writer(self.socket, self.on_writable)
        except psycopg.Error:
            self.close(StatementLost())

    def on_writable(self) -> None:
        """Send the rest of a batch. PostgreSQL may send something meanwhile, which has to be read (libpq, PQflush)."""
        try:
            self.pgconn.consume_input()
            if not self.pgconn.flush():
                self.loop.remove_writer(self.socket)
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
                    self.finish(self.result, self.pending)
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

    def finish(self, result: PGresult, pending: Pending) -> None:
        """Give the requests their rows; after an SQL error, close the connection.

        After a time limit the waiters of this connection would probably wait for the same lock. Without a connection
        they go to the threads. A batch waits for a lock for a moment only, and its requests are sent once more, alone.
        """
        error = error_from(result)
        is_batch = isinstance(pending, PendingBatch)
        if error and not (is_batch and isinstance(error, LOCK_ERRORS)):
            is_untracked(error, self.database.connection)
            timed_out = isinstance(error, TIMEOUT_ERRORS)
            reason = OperationalError(type(error).__name__) if timed_out else ConnectionLost()
            self.close(BatchFailed() if is_batch else reason)
            return
        self.pending = None
        self.on_idle(self)
        if error:
            pending.fail(BatchFailed())
        else:
            pending.resolve(result)

    def close(self, error: Exception) -> None:
        """Close the connection and raise this exception in the requests of the pending statement."""
        self.loop.remove_reader(self.socket)
        self.loop.remove_writer(self.socket)
        self.database.connection.close()  # Django's wrapper may be closed only by the thread that made it
        if self.pending:
            self.pending.fail(error)
        self.pending = None
        self.on_close(self)
