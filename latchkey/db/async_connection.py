"""One of the event loop's connections to PostgreSQL, in libpq's asynchronous words (its manual, section 32.4)."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

import psycopg
from django.db import OperationalError
from psycopg.errors import LockNotAvailable, QueryCanceled
from psycopg.pq.abc import PGresult

from latchkey.db.prepared import Prepared, failure

Asked: TypeAlias = tuple[Prepared, list[bytes], "asyncio.Future[PGresult]"]
"""A statement, its parameters, and who waits for its answer."""

OUT_OF_TIME = (LockNotAvailable, QueryCanceled)
"""What PostgreSQL gave up, as it was told to: nothing was executed, and to try again would take as long again."""


class Lost(Exception):
    """There is no connection, or it was not answered whole: whether anything was executed is not known."""


class Line:
    """One connection of Django's, which one statement has at a time."""

    def __init__(
        self,
        database: Any,
        loop: asyncio.AbstractEventLoop,
        on_free: Callable[["Line"], None],
        on_drop: Callable[["Line"], None],
    ) -> None:
        self.database, self.libpq, self.loop = database, database.connection.pgconn, loop
        self.socket, self.on_free, self.on_drop = self.libpq.socket, on_free, on_drop
        self.asked: Asked | None = None
        self.result: PGresult | None = None
        loop.add_reader(self.socket, self.hear)

    def ask(self, asked: Asked) -> None:
        """Send a statement; it fits into the socket's buffer, which is empty between two of them."""
        self.asked, self.result = asked, None
        try:
            self.libpq.send_query_prepared(asked[0].name, asked[1])
        except psycopg.Error:
            self.drop(Lost())

    def hear(self) -> None:
        """Take in what has come: a part of an answer, a whole one, or the end of the connection."""
        try:
            self.libpq.consume_input()
            while self.asked and not self.libpq.is_busy():
                result = self.libpq.get_result()
                if result is not None:
                    self.result = result
                elif self.result is not None:
                    self.tell(self.result, self.asked[2])
                else:  # libpq knows of no statement
                    self.drop(Lost())
        except psycopg.Error:
            self.drop(Lost())

    def tell(self, result: PGresult, answer: "asyncio.Future[PGresult]") -> None:
        """Hand on a whole answer; after an error nobody uses the connection again.

        Where time ran out, those who wait here may meet the same lock: without a connection they go to the threads.
        """
        error = failure(result)
        if error:
            self.drop(OperationalError(type(error).__name__) if isinstance(error, OUT_OF_TIME) else Lost())
            return
        self.asked = None
        self.on_free(self)
        if not answer.done():
            answer.set_result(result)

    def drop(self, told: Exception) -> None:
        """Close the connection, and tell whoever waits for its answer that there will be none."""
        self.loop.remove_reader(self.socket)
        self.database.connection.close()  # its wrapper may be closed by its thread alone
        if self.asked and not self.asked[2].done():
            self.asked[2].set_exception(told)
        self.asked = None
        self.on_drop(self)
