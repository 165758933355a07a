"""Where a measurement happens: a folder of its own, and the database that was asked for."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.postgres import Postgres


def create_workspace(opened: ExitStack, name: str, database: str) -> tuple[Path, str]:
    """Make a folder, and for 'postgresql' a server in it; return the folder and the URL, which SQLite has none of."""
    folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix=f"latchkey-{name}-")))
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own
    if database != "postgresql":
        return folder, ""
    postgresql = Postgres(folder / "postgresql").create().start()
    opened.callback(postgresql.stop, "immediate")
    return folder, postgresql.url
