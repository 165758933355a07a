"""PostgreSQL servers that a test may break, and a Latchkey on them."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import CalledProcessError

from tests.postgres import Postgres
from tests.server import Server, fresh_database


def folder_for_nobody() -> Path:
    """Return a new folder that goes with the run; pytest's own are closed to the user that PostgreSQL runs as."""
    folder = Path(tempfile.mkdtemp(prefix="breakable-", dir=os.environ["LATCHKEY_TESTS_IN"]))
    folder.chmod(0o755)
    return folder


@contextmanager
def stopped_after(*servers: Postgres) -> Iterator[None]:
    """Stop these servers in the end; a test may have stopped some of them itself."""
    try:
        yield
    finally:
        for server in servers:
            with suppress(CalledProcessError):
                server.stop("immediate")


@contextmanager
def latchkey_on(url: str, folder: Path) -> Iterator[Server]:
    """Run a server on the database at this URL."""
    server = Server(folder, url)
    try:
        yield server.start()
    finally:
        if server.process:
            server.kill()


@contextmanager
def breakable(folder: Path) -> Iterator[tuple[Postgres, Server]]:
    """Run a PostgreSQL and a Latchkey on it."""
    postgres = Postgres(folder_for_nobody()).create().start()
    with stopped_after(postgres), latchkey_on(fresh_database(postgres.url), folder) as server:
        yield postgres, server
