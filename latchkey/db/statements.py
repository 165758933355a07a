"""Raw SQL: statements on a cached cursor, and prepared statements that use libpq without a cursor.

The cursors of Django and of psycopg cost more than a short statement: for each execution they look up how to adapt its
parameters and how to load the columns of its rows. A prepared statement knows both. libpq prepares it once in each
connection and sends the parameters as text; the server infers their types from the statement.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.errors import error_from_result
from psycopg.generators import execute
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from latchkey.db.postgresql.connection import (
    UNTRACKED_ERRORS,
    Connection,
    PreparedStatementLost,
    statement_name,
)

_CURSOR_ATTRIBUTE = "latchkey_cursor"


def fetch_all(sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Execute one SQL statement and return all rows, [] where it returns none; raises what Django's cursors raise.

    Django sets up a new cursor for every statement, which costs as much as the statement itself. This cursor is cached
    with its connection, and replaced when the connection is. All rows are fetched, because on SQLite an open statement
    holds its lock.
    """
    database = ensure_usable(connections[DEFAULT_DB_ALIAS])
    cursor = _cached_cursor(database)
    cursor.execute(sql, parameters)
    return cursor.fetchall() if cursor.description else []


def ensure_usable(database: Any) -> Any:
    """Return Django's connection, connected; raises a DatabaseError.

    A connection that the server has closed is reopened, and after an error a broken one. Django does so at the start of
    each request, which web/fast_path.py does not use.
    """
    if not database.in_atomic_block:
        database.close_if_unusable_or_obsolete()
    database.ensure_connection()
    return database


def _cached_cursor(database: Any) -> Any:
    """Return the cached cursor of this connection; a new cursor each time where Django logs the statements."""
    if database.queries_logged:
        return database.cursor()
    connected, cursor = database.__dict__.get(_CURSOR_ATTRIBUTE, (None, None))
    if connected is not database.connection:
        cursor = database.cursor()
        database.__dict__[_CURSOR_ATTRIBUTE] = database.connection, cursor
    return cursor


_PLANS = "latchkey_plans"
_STALE_PLAN = b"0A000"
"""SQLSTATE of a prepared statement that is no longer usable, feature_not_supported: a migration has changed the columns
of its result. Nothing was executed."""

PARAMETER = re.compile(r"%\((\w+)\)s")
"""A named parameter of a statement."""


class PreparedStatement:
    """A prepared statement (PostgreSQL's PREPARE) with parameters such as %(id)s, and a decoder for each column.

    A decoder gets a value as PostgreSQL's text, as bytes, or None for NULL.
    """

    def __init__(self, name: str, sql: str, *columns: Callable[[Any], Any]) -> None:
        self.sql, self.decoders = sql, tuple(enumerate(columns))
        self.parameter_names = list(dict.fromkeys(PARAMETER.findall(sql)))
        self.pg_sql = PARAMETER.sub(lambda named: f"${self.parameter_names.index(named[1]) + 1}", sql).encode()
        self.name = statement_name(name, self.pg_sql)

    def fetch(self, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute in the calling thread and return all rows, as `fetch_all` does; raises what Django's cursors raise.

        A cursor is used instead on SQLite, in a transaction (psycopg may still have to send BEGIN), where statements
        are logged or counted, and where the operator has turned prepared statements off.
        """
        database = connections[DEFAULT_DB_ALIAS]
        if (
            not supports_prepared(database)
            or database.in_atomic_block
            or database.queries_logged
            or database.execute_wrappers
        ):
            return self._by_cursor(database, parameters)
        with database.wrap_database_errors:
            result = self._result(ensure_usable(database).connection, self.encode(parameters))
        if result is None:
            database.close()  # with all its prepared statements
            return self._by_cursor(database, parameters)
        return self.decode(result)

    def _by_cursor(self, database: Any, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        adapted = database.ops.adapt_datetimefield_value  # SQLite stores times as text
        return fetch_all(self.sql, {n: adapted(v) if isinstance(v, datetime) else v for n, v in parameters.items()})

    def encode(self, parameters: Mapping[str, Any]) -> list[bytes]:
        """Return the values in the order of $1, $2 and so on, in PostgreSQL's text format."""
        return [_encode_parameter(parameters[name]) for name in self.parameter_names]

    def decode(self, result: PGresult) -> list[tuple[Any, ...]]:
        """Return the rows of a result of libpq's, each column through its decoder."""
        value, columns = result.get_value, self.decoders
        return [tuple([read(value(row, column)) for column, read in columns]) for row in range(result.ntuples)]

    def prepare(self, connection: Connection) -> None:
        """Prepare the statement on this connection; raises psycopg.Error."""
        connection.pgconn.send_prepare(self.name, self.pg_sql)
        if error := error_from(connection.wait(execute(connection.pgconn))[-1]):
            raise PreparedStatementLost(type(error).__name__) if is_untracked(error, connection) else error

    def _result(self, connection: Any, values: list[bytes]) -> PGresult | None:
        """Return libpq's result, None where the prepared statement is no longer usable; raises psycopg.Error."""
        plans, libpq = connection.__dict__.setdefault(_PLANS, set()), connection.pgconn
        if self.name not in plans:
            try:
                self.prepare(connection)
            except PreparedStatementLost:
                return None
            plans.add(self.name)
        libpq.send_query_prepared(self.name, values)
        result: PGresult = connection.wait(execute(libpq))[-1]
        error = error_from(result)
        if error and (result.error_field(DiagnosticField.SQLSTATE) == _STALE_PLAN or is_untracked(error, connection)):
            return None
        if error:
            raise error
        return result


def is_untracked(error: psycopg.Error, connection: Connection) -> bool:
    """Return whether a pooler lost this prepared statement; then no more are prepared in this process."""
    if isinstance(error, UNTRACKED_ERRORS):
        connection.on_untracked()
        return True
    return False


def error_from(result: PGresult) -> psycopg.Error | None:
    """Return the error of a result, from PostgreSQL or from libpq itself; None where the statement succeeded."""
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return None
    if result.error_field(DiagnosticField.SQLSTATE) is None:  # libpq's own message: the connection is lost
        return psycopg.OperationalError(result.get_error_message())
    return error_from_result(result)


def supports_prepared(database: Any) -> bool:
    """Return whether prepared statements are used: on PostgreSQL, unless the operator has turned them off.

    That is `?prepared_statements=off` in DATABASE_URL, for a PgBouncer that does not support them.
    """
    return database.vendor == "postgresql" and database.settings_dict["OPTIONS"]["prepare_threshold"] is not None


def _encode_parameter(value: Any) -> bytes:
    """Return a value in PostgreSQL's text format; bytes as bytea in hex format."""
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
    return (value.isoformat() if isinstance(value, datetime) else str(value)).encode()


class Query(NamedTuple):
    """A prepared statement with its parameters: a thread calls `fetch`, the event loop `AsyncPool.fetch`."""

    statement: PreparedStatement
    parameters: Mapping[str, Any]

    def fetch(self) -> list[tuple[Any, ...]]:
        """Execute in the calling thread and return all rows; raises what Django's cursors raise."""
        return self.statement.fetch(self.parameters)
