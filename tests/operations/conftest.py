"""Fixtures of the operations tests. Those for PostgreSQL alone are not collected on SQLite."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.postgres import Postgres
from tests.server import Server, create_database
from tests.support.postgres_servers import shared_directory, stop_afterwards

collect_ignore_glob = [] if settings.DATABASE_URL else ["test_postgresql_*"]

LaunchServer = Callable[..., Server]


@pytest.fixture
def launch(tmp_path: Path, database_url: str) -> Iterator[LaunchServer]:
    """Start a server with these additional environment variables: launch(LATCHKEY_API_DOCS="off")."""
    started: list[Server] = []

    def start(workers: int = 2, threads: int = 4, **environment: str) -> Server:
        started.append(Server(tmp_path, database_url, workers, threads, **environment))
        return started[-1].start()

    yield start
    for server in started:
        if server.process:
            server.kill()


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL that a module may break."""
    postgres = Postgres(shared_directory()).create()
    with stop_afterwards(postgres.start()):
        yield postgres


@pytest.fixture
def server(postgres: Postgres, tmp_path: Path) -> Iterator[Server]:
    """A server with one worker of one thread, on a database of that PostgreSQL."""
    server = Server(tmp_path, create_database(postgres.url), workers=1, threads=1)
    yield server.start()
    server.kill()
