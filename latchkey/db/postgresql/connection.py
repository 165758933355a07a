"""psycopg's connection, with a time limit for every answer and with names of prepared statements that carry a digest.

PostgreSQL enforces `statement_timeout` itself, so it ends nothing when PostgreSQL is frozen, when the network is
silent, or while a commit waits for a synchronous standby. Then only a time limit on this side gives the thread back
(docs/decisions/0028-deadlines-of-our-own.md).
"""

import hashlib
import select
from collections.abc import Callable, Generator
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg._preparing import Prepare, PrepareManager
from psycopg.errors import DuplicatePreparedStatement, InvalidSqlStatementName, ProtocolViolation

RV = TypeVar("RV")

UNTRACKED_ERRORS = (InvalidSqlStatementName, DuplicatePreparedStatement, ProtocolViolation)
"""What PostgreSQL answers behind a connection pooler that keeps no track of prepared statements: the statement is not
there, is there already, or is another one. Nothing was executed."""


class AnswerTimeout(psycopg.OperationalError):
    """No answer in time, so the connection was closed: whether the statement was executed is unknown."""


class PreparedStatementLost(psycopg.OperationalError):
    """A prepared statement that a pooler lost: nothing was executed, and the next try prepares none."""


def statement_name(purpose: str, sql: bytes, types: object = None) -> bytes:
    """Return the name of a prepared statement: the same name never means another statement, whoever prepared it.

    Two versions of the service may share server connections behind a pooler. psycopg numbers its statements, so that
    one process could execute the statement of another one.
    """
    return f"{purpose}_{hashlib.sha256(repr((sql, types)).encode()).hexdigest()[:24]}".encode()


class NamingPrepareManager(PrepareManager):
    """psycopg's cache of prepared statements, with `statement_name` for their names."""

    def get(self, query: Any, prepare: bool | None = None) -> tuple[Prepare, bytes]:
        state, name = super().get(query, prepare)
        return state, statement_name("latchkey_psycopg", query.query, query.types) if state is Prepare.SHOULD else name


class Connection(psycopg.Connection[Any]):
    """A connection that waits for an answer for `answer_timeout` seconds at most, None without a limit.

    `on_timeout` and `on_untracked` are called before the exception is raised.
    """

    answer_timeout: float | None = None
    on_timeout: Callable[[], object] = staticmethod(lambda: None)
    on_untracked: Callable[[], object] = staticmethod(lambda: None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepared = NamingPrepareManager()
        self._input = select.poll()
        self._input.register(self.fileno(), select.POLLIN)

    def has_ended(self) -> bool:
        """Tell whether the server, or a proxy in between, has closed this connection while it was idle.

        It costs one system call and no statement. PostgreSQL sends nothing on an idle connection but its end and, once
        in a while, a change of a setting, after which a new connection does no harm.
        """
        return self.closed or bool(self._input.poll(0))

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        """Wait for a statement, a commit or a rollback: all of psycopg's functions end here."""
        limit = self.answer_timeout
        try:
            return super().wait(gen if limit is None else bounded(gen, monotonic() + limit), *args, **kwargs)
        except AnswerTimeout:
            self.close()
            self.on_timeout()
            raise
        except UNTRACKED_ERRORS as error:
            if self.prepare_threshold is None:
                raise
            self.on_untracked()
            raise PreparedStatementLost(type(error).__name__) from error


def bounded(gen: Generator[Any, Any, RV], deadline: float) -> Generator[Any, Any, RV]:
    """Pass one of psycopg's generators on until the deadline; raises AnswerTimeout.

    psycopg's `wait` resumes it every 0.1 s also when nothing arrives. What has arrived is read first: this process may
    have been frozen itself.
    """
    try:
        wanted = next(gen)
        while True:
            wanted = gen.send((yield wanted))
            if monotonic() >= deadline:
                raise AnswerTimeout("no answer in time")
    except StopIteration as done:
        result: RV = done.value
        return result
