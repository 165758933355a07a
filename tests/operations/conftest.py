"""What the tests of operating the service share. Those for PostgreSQL alone do not exist on SQLite."""

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
    """Start the one server of this test, with this environment besides: launch(LATCHKEY_API_DOCS="off")."""
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
    """One worker of one thread, on a database there."""
    server = Server(tmp_path, create_database(postgres.url), workers=1, threads=1)
    yield server.start()
    server.kill()
