"""PostgreSQL servers that a test may stop, freeze or crash, and a Latchkey server on them."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from subprocess import CalledProcessError

import psycopg

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


@contextmanager
def frozen(pids: list[int]) -> Iterator[None]:
    """Freeze processes by SIGSTOP: the kernel goes on accepting connections and data for them."""
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def frozen_backends(url: str) -> AbstractContextManager[None]:
    """Freeze every backend of the database at this URL, which also stops its statement_timeout; new ones work."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(url) as connection:
        return frozen([pid for (pid,) in connection.execute(query)])


def frozen_server(postgres: Postgres) -> AbstractContextManager[None]:
    """Freeze a whole PostgreSQL: it accepts connections, and says nothing."""
    postmaster = int((postgres.data / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return frozen([postmaster, *map(int, children)])
