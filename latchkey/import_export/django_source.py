"""The users of another Django project, out of its own database, which is only read."""

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
"""What each field is called in Django's table of users; a table of one's own may lack all but the needed ones."""

REQUIRED_COLUMNS = frozenset({"id", "email", "password"})

SELECT_USERS = """
SELECT *, first_value(id) OVER (PARTITION BY lower(trim(email)) ORDER BY id) AS latchkey_first
  FROM {table} ORDER BY id
"""
"""latchkey_first is the user with the lowest id of those who share an e-mail address, which Django lets them."""

_TABLE = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*\.)?[A-Za-z_][A-Za-z0-9_]*")


@contextmanager
def read_users(url: str, table: str) -> Iterator[tuple[int, Iterator[SourceRecord]]]:
    """Open the database; return how many users there are, and each of them, without holding more than some at once.

    Raises ImproperlyConfigured with a sentence that does not repeat the URL, as it may hold a password.
    """
    if not _TABLE.fullmatch(table):
        raise ImproperlyConfigured(f"{table!r} is no name of a table.")
    quoted = ".".join(f'"{part}"' for part in table.split("."))
    try:
        with (
            closing(_connect_read_only(url)) as old,
            closing(old.cursor()) as counting,
            closing(_streaming_cursor(old)) as reading,
        ):
            counting.execute(f"SELECT count(*) AS total FROM {quoted}")  # noqa: S608 - a name, by _TABLE
            total = counting.fetchone()["total"]
            counting.execute(f"SELECT * FROM {quoted} LIMIT 0")  # noqa: S608
            if missing := REQUIRED_COLUMNS - {column[0] for column in counting.description or ()}:
                raise ImproperlyConfigured(f"The table {table!r} has no column {min(missing)!r}.")
            reading.execute(SELECT_USERS.format(table=quoted))
            yield total, (_to_record(number, row) for number, row in enumerate(reading, 1))
    except (psycopg.Error, sqlite3.Error) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ImproperlyConfigured(f"The old database cannot be read. It says: {reason}") from error


def _connect_read_only(url: str) -> Any:
    """Connect so that the database itself refuses to write."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and len(rest) > 1 and rest.startswith("/"):
        file = sqlite3.connect(f"{Path(unquote(rest[1:])).resolve().as_uri()}?mode=ro", uri=True)
        file.row_factory = sqlite3.Row
        file.text_factory = lambda text: text.decode(errors="surrogateescape")  # what is no UTF-8 is one bad record
        return file
    if scheme in ("postgres", "postgresql"):
        server: Any = psycopg.connect(url, row_factory=dict_row, client_encoding="utf8")
        server.read_only = True
        return server
    raise ImproperlyConfigured(
        "--database cannot be read; write 'sqlite:///path/to/file' or 'postgresql://user@host:5432/name'."
    )


def _streaming_cursor(old: Any) -> Any:
    """Return a cursor that fetches as it goes: on PostgreSQL one with a name, on SQLite any."""
    return old.cursor() if isinstance(old, sqlite3.Connection) else old.cursor(name="latchkey")


def _to_record(number: int, row: Mapping[str, Any]) -> SourceRecord:
    there = row.keys()
    values = {field: row[column] for field, column in COLUMN_OF_FIELD.items() if column in there}
    values = {field: value for field, value in values.items() if field != "id" or isinstance(value, int)}
    shared = (row["email"] or "").strip() and row["latchkey_first"] != row["id"]
    complaint = f"email: The user {row['latchkey_first']} has the same one." if shared else ""
    return SourceRecord(f"user {row['id']}", number, values, complaint)
