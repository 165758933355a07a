"""Raw SQL: statements on a cursor that each connection keeps, and prepared statements without a cursor.

The cursors of Django and of psycopg cost more than a short statement: each time they look up the types of its
parameters and the shape of its rows. A prepared statement knows both. libpq prepares it once in a connection and gets
the parameters as text; the server infers their types from the statement.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

_CURSOR_KEY = "latchkey_cursor"


def fetch_all(sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Execute one statement and return its rows, none where it returns nothing; raises what Django's cursors raise.

    Django sets up a new cursor for every statement, which costs as much as the statement itself. This one is
    kept for as long as its connection: a lost connection takes it along. All rows are fetched, because on SQLite
    an open statement holds its lock.
    """
    database = ensure_usable(connections[DEFAULT_DB_ALIAS])
    cursor = _cached_cursor(database)
    cursor.execute(sql, parameters)
    return cursor.fetchall() if cursor.description else []


def ensure_usable(database: Any) -> Any:
    """Return Django's connection, connected; raises a DatabaseError.

    After an error it is looked at first. Django does so before each request, but not on the short way.
    """
    if database.errors_occurred and not database.in_atomic_block:
        database.close_if_unusable_or_obsolete()
    database.ensure_connection()
    return database


def _cached_cursor(database: Any) -> Any:
    """Return the cursor of this very connection; a new one each time where Django is to log the statements."""
    if database.queries_logged:
        return database.cursor()
    connected, cursor = database.__dict__.get(_CURSOR_KEY, (None, None))
    if connected is not database.connection:
        cursor = database.cursor()
        database.__dict__[_CURSOR_KEY] = database.connection, cursor
    return cursor


_PLANS = "latchkey_plans"
_STALE_PLAN = (b"26000", b"0A000")
"""SQLSTATEs: somebody has deallocated it, or a migration changed its columns. Nothing was executed."""

_PARAMETER = re.compile(r"%\((\w+)\)s")


class PreparedStatement:
    """A statement with parameters such as %(id)s, and what reads each column of its rows from PostgreSQL's text."""

    def __init__(self, name: str, sql: str, *columns: Callable[[Any], Any]) -> None:
        self.name, self.sql, self.decoders = name.encode(), sql, tuple(enumerate(columns))
        self.parameter_names = list(dict.fromkeys(_PARAMETER.findall(sql)))
        self.pg_sql = _PARAMETER.sub(lambda named: f"${self.parameter_names.index(named[1]) + 1}", sql).encode()

    def fetch(self, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute and return the rows, as core.cursor.fetch does; raises what Django's cursors raise.

        That one does it on SQLite, in a transaction, which psycopg may still have to begin, where statements are
        logged or counted, and where the operator wants none prepared.
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
            database.close()  # and every plan with it
            return self._by_cursor(database, parameters)
        return self.decode(result)

    def _by_cursor(self, database: Any, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        adapted = database.ops.adapt_datetimefield_value  # SQLite has times as text
        return fetch_all(self.sql, {n: adapted(v) if isinstance(v, datetime) else v for n, v in parameters.items()})

    def encode(self, parameters: Mapping[str, Any]) -> list[bytes]:
        """Return the parameters in their order, as text."""
        return [_encode_parameter(parameters[name]) for name in self.parameter_names]

    def decode(self, result: PGresult) -> list[tuple[Any, ...]]:
        """Read what libpq was answered."""
        value, columns = result.get_value, self.decoders
        return [tuple([read(value(row, column)) for column, read in columns]) for row in range(result.ntuples)]

    def prepare(self, libpq: PGconn) -> None:
        """Have a connection plan the statement; raises psycopg.Error."""
        if error := error_from(libpq.prepare(self.name, self.pg_sql)):
            raise error

    def _result(self, connection: Any, values: list[bytes]) -> PGresult | None:
        """Return the rows in libpq's form, None where the plan is lost; raises psycopg.Error."""
        plans, libpq = connection.__dict__.setdefault(_PLANS, set()), connection.pgconn
        if self.name not in plans:
            self.prepare(libpq)
            plans.add(self.name)
        result: PGresult = libpq.exec_prepared(self.name, values)
        error = error_from(result)
        if error and result.error_field(DiagnosticField.SQLSTATE) in _STALE_PLAN:
            return None
        if error:
            raise error
        return result


def error_from(result: PGresult) -> psycopg.Error | None:
    """Return what PostgreSQL, or libpq itself, found wrong with a statement."""
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return None
    if result.error_field(DiagnosticField.SQLSTATE) is None:  # libpq's own words: the server is gone
        return psycopg.OperationalError(result.get_error_message())
    return error_from_result(result)


def supports_prepared(database: Any) -> bool:
    """Tell whether this database has statements prepared: PostgreSQL does, unless the operator wants none."""
    return database.vendor == "postgresql" and database.settings_dict["OPTIONS"]["prepare_threshold"] is not None


def _encode_parameter(value: Any) -> bytes:
    """Return a parameter as PostgreSQL reads it from text."""
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
    return (value.isoformat() if isinstance(value, datetime) else str(value)).encode()


class Query(NamedTuple):
    """A statement and its parameters, which a thread executes at once and the event loop when it can."""

    statement: PreparedStatement
    parameters: Mapping[str, Any]

    def fetch(self) -> list[tuple[Any, ...]]:
        """Execute it, and return the rows; raises what Django's cursors raise."""
        return self.statement.fetch(self.parameters)
