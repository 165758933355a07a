"""Temporary directory and database of a measurement."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.postgres import Postgres


def create_workspace(opened: ExitStack, name: str, database: str) -> tuple[Path, str]:
    """Create a temporary directory, and for 'postgresql' a server in it; return the directory and DATABASE_URL.

    The URL is empty for SQLite. Everything ends with the stack.
    """
    folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix=f"latchkey-{name}-")))
    folder.chmod(0o755)  # PostgreSQL runs as another user
    if database != "postgresql":
        return folder, ""
    postgresql = Postgres(folder / "postgresql").create().start()
    opened.callback(postgresql.stop, "immediate")
    return folder, postgresql.url
