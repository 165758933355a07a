"""Run the few statements that the ORM cannot say, or not cheaply, on a cursor that each connection keeps."""

from collections.abc import Mapping
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

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
