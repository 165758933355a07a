"""One of the event loop's connections to PostgreSQL, in libpq's asynchronous words (its manual, section 32.4)."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

import psycopg
from django.db import OperationalError
from psycopg.errors import LockNotAvailable, QueryCanceled
from psycopg.pq.abc import PGresult

from latchkey.db.statements import PreparedStatement, error_from

PendingQuery: TypeAlias = tuple[PreparedStatement, list[bytes], "asyncio.Future[PGresult]"]
"""A statement, its parameters, and who waits for its answer."""

TIMEOUT_ERRORS = (LockNotAvailable, QueryCanceled)
"""What PostgreSQL gave up, as it was told to: nothing was executed, and to try again would take as long again."""


class ConnectionLost(Exception):
    """There is no connection, or it was not answered whole: whether anything was executed is not known."""


class AsyncConnection:
    """One connection of Django's, which one statement has at a time."""

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
        loop.add_reader(self.socket, self.on_readable)

    def send(self, query: PendingQuery) -> None:
        """Send a statement; it fits into the socket's buffer, which is empty between two of them."""
        self.pending, self.result = query, None
        try:
            self.pgconn.send_query_prepared(query[0].name, query[1])
        except psycopg.Error:
            self.close(ConnectionLost())

    def on_readable(self) -> None:
        """Take in what has come: a part of an answer, a whole one, or the end of the connection."""
        try:
            self.pgconn.consume_input()
            while self.pending and not self.pgconn.is_busy():
                result = self.pgconn.get_result()
                if result is not None:
                    self.result = result
                elif self.result is not None:
                    self.finish(self.result, self.pending[2])
                else:  # libpq knows of no statement
                    self.close(ConnectionLost())
        except psycopg.Error:
            self.close(ConnectionLost())

    def finish(self, result: PGresult, answer: "asyncio.Future[PGresult]") -> None:
        """Hand on a whole answer; after an error nobody uses the connection again.

        Where time ran out, those who wait here may meet the same lock: without a connection they go to the threads.
        """
        error = error_from(result)
        if error:
            self.close(
                OperationalError(type(error).__name__) if isinstance(error, TIMEOUT_ERRORS) else ConnectionLost()
            )
            return
        self.pending = None
        self.on_idle(self)
        if not answer.done():
            answer.set_result(result)

    def close(self, error: Exception) -> None:
        """Close the connection, and tell whoever waits for its answer that there will be none."""
        self.loop.remove_reader(self.socket)
        self.database.connection.close()  # its wrapper may be closed by its thread alone
        if self.pending and not self.pending[2].done():
            self.pending[2].set_exception(error)
        self.pending = None
        self.on_close(self)
