"""Users of another Django project, streamed from its database, which is opened read-only."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.rows import dict_row

from latchkey.import_export.source_lines import SourceRecord

COLUMN_OF_FIELD = {
    **{name: name for name in ("id", "email", "username", "is_active", "is_staff", "is_superuser")},
    "password_hash": "password",
    "created_at": "date_joined",
}
"""The column of Django's user table for each field; a custom user table may lack all but the required ones."""

REQUIRED_COLUMNS = frozenset({"id", "email", "password"})

SELECT_USERS = """
SELECT *, first_value(id) OVER (PARTITION BY lower(trim(email)) ORDER BY id) AS latchkey_first
  FROM {table} ORDER BY id
"""
"""latchkey_first is the lowest id of the users who share an e-mail address, which Django allows."""

_TABLE = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*\.)?[A-Za-z_][A-Za-z0-9_]*")


@contextmanager
def read_users(url: str, table: str) -> Iterator[tuple[int, Iterator[SourceRecord]]]:
    """Open the database; yield the number of users, and an iterator that holds only some of them at once.

    Raises ImproperlyConfigured with a sentence that does not repeat the URL, which may have a password in it.
    """
    if not _TABLE.fullmatch(table):
        raise ImproperlyConfigured(f"{table!r} is not a table name.")
    quoted = ".".join(f'"{part}"' for part in table.split("."))
    try:
        with (
            closing(_connect_read_only(url)) as database,
            closing(database.cursor()) as cursor,
            closing(_streaming_cursor(database)) as stream,
        ):
            cursor.execute(f"SELECT count(*) AS total FROM {quoted}")  # noqa: S608 - a name, by _TABLE
            total = cursor.fetchone()["total"]
            cursor.execute(f"SELECT * FROM {quoted} LIMIT 0")  # noqa: S608 - a name, by _TABLE
            if missing := REQUIRED_COLUMNS - {column[0] for column in cursor.description or ()}:
                raise ImproperlyConfigured(f"The table {table!r} has no column {min(missing)!r}.")
            stream.execute(SELECT_USERS.format(table=quoted))
            yield total, (_to_record(number, row) for number, row in enumerate(stream, 1))
    except (psycopg.Error, sqlite3.Error) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ImproperlyConfigured(f"The old database cannot be read. It says: {reason}") from error


def _connect_read_only(url: str) -> Any:
    """Return a connection on which the database itself refuses writes; raises ImproperlyConfigured for another URL."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and len(rest) > 1 and rest.startswith("/"):
        sqlite = sqlite3.connect(f"{Path(unquote(rest[1:])).resolve().as_uri()}?mode=ro", uri=True)
        sqlite.row_factory = sqlite3.Row
        sqlite.text_factory = lambda text: text.decode(errors="surrogateescape")  # invalid UTF-8 is one bad record
        return sqlite
    if scheme in ("postgres", "postgresql"):
        postgresql: Any = psycopg.connect(url, row_factory=dict_row, client_encoding="utf8")
        postgresql.read_only = True
        return postgresql
    raise ImproperlyConfigured(
        "--database cannot be read; write 'sqlite:///path/to/file' or 'postgresql://user@host:5432/name'."
    )


def _streaming_cursor(database: Any) -> Any:
    """Return a cursor that fetches rows as they are read: a server-side one on PostgreSQL, any on SQLite."""
    return database.cursor() if isinstance(database, sqlite3.Connection) else database.cursor(name="latchkey")


def _to_record(number: int, row: Mapping[str, Any]) -> SourceRecord:
    columns = row.keys()
    values = {field: row[column] for field, column in COLUMN_OF_FIELD.items() if column in columns}
    values = {field: value for field, value in values.items() if field != "id" or isinstance(value, int)}
    is_duplicate = (row["email"] or "").strip() and row["latchkey_first"] != row["id"]
    error = f"email: User {row['latchkey_first']} has the same address." if is_duplicate else ""
    return SourceRecord(f"user {row['id']}", number, values, error)
