"""PostgreSQL servers that a test may stop or crash, and a Latchkey server on them."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import CalledProcessError

from tests.postgres import Postgres
from tests.server import Server, create_database


def shared_directory() -> Path:
    """Return a new folder that lives as long as the run. PostgreSQL's user cannot read the folders of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="breakable-", dir=os.environ["LATCHKEY_TESTS_IN"]))
    folder.chmod(0o755)
    return folder


@contextmanager
def stop_afterwards(*servers: Postgres) -> Iterator[None]:
    """Stop these servers at the end, also if a test has stopped some of them itself."""
    try:
        yield
    finally:
        for server in servers:
            with suppress(CalledProcessError):
                server.stop("immediate")


@contextmanager
def serve_on(url: str, folder: Path) -> Iterator[Server]:
    """Run a server on the database at this URL."""
    server = Server(folder, url)
    try:
        yield server.start()
    finally:
        if server.process:
            server.kill()


@contextmanager
def postgres_and_server(folder: Path) -> Iterator[tuple[Postgres, Server]]:
    """Run a PostgreSQL and a Latchkey server on it."""
    postgres = Postgres(shared_directory()).create().start()
    with stop_afterwards(postgres), serve_on(create_database(postgres.url), folder) as server:
        yield postgres, server
