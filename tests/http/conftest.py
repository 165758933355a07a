"""One server for all tests of this folder; every test registers its own users."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from django.conf import settings

from tests.people import Person
from tests.server import Server, create_database
from tests.support.http_connection import Connection


@pytest.fixture(scope="session")
def http_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server with 2 workers of 4 threads, on the database of the run."""
    url = create_database(settings.DATABASE_URL) if settings.DATABASE_URL else ""
    running = Server(tmp_path_factory.mktemp("wire"), url).start()
    running.raise_address_limits()
    yield running
    running.kill()


@pytest.fixture
def client(http_server: Server) -> Iterator[httpx.Client]:
    """A well-behaved client."""
    with httpx.Client(base_url=http_server.url) as http:
        yield http


@pytest.fixture
def alice(client: httpx.Client, unique_numbers: Iterator[int]) -> Person:
    return Person(client, f"alice{next(unique_numbers)}@example.com").register().login()


@pytest.fixture
def open_connection(http_server: Server) -> Iterator[Callable[[], Connection]]:
    """Return a function that opens a connection, which is closed with the test."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(Connection(http_server.port))
