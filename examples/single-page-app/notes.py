"""Notes in an SQLite database: the data of the example, without anything about sign-in."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

MAX_NOTES = 200
"""Notes that a list has at most: the newest ones."""


@dataclass(frozen=True)
class Note:
    """A note as the API returns it; `created_at` is in ISO 8601 with UTC."""

    id: int
    text: str
    author: str
    created_at: str


class Notes:
    """The table of notes. Each call opens a connection of its own, as FastAPI runs routes in many threads."""

    def __init__(self, path: str) -> None:
        self._path = path
        with self._connect() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL,"
                " author TEXT NOT NULL, created_at TEXT NOT NULL)"
            )

    def newest(self) -> list[Note]:
        """Return the newest notes, the newest first."""
        with self._connect() as database:
            rows = database.execute(
                "SELECT id, text, author, created_at FROM note ORDER BY id DESC LIMIT ?", (MAX_NOTES,)
            ).fetchall()
        return [Note(*row) for row in rows]

    def add(self, text: str, author: str) -> Note:
        """Store a note and return it."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        with self._connect() as database:
            key = database.execute(
                "INSERT INTO note (text, author, created_at) VALUES (?, ?, ?)", (text, author, at)
            ).lastrowid
        return Note(key or 0, text, author, at)

    def delete(self, key: int) -> bool:
        """Delete a note; tell whether it existed."""
        with self._connect() as database:
            return database.execute("DELETE FROM note WHERE id = ?", (key,)).rowcount == 1

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        """Open a connection with one transaction, which is committed unless the body raises."""
        database = sqlite3.connect(self._path, timeout=5)
        try:
            with database:
                yield database
        finally:
            database.close()
