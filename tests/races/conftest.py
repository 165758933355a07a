"""One server for all races, with 2 workers of 4 threads, on the database of the run."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from tests.races.operators import AdminProcess
from tests.races.racing import TIMEOUT, Race
from tests.server import Server, create_database

ROOT = Path(__file__).parents[2]
CONNECTIONS = 12

OpenRace = Callable[[str], AbstractContextManager[Race]]


@contextmanager
def open_clients(url: str, count: int) -> Iterator[list[httpx.Client]]:
    """Return so many clients with a connection each, which is open already and stays so."""
    limits = httpx.Limits(max_connections=1, keepalive_expiry=None)
    with ExitStack() as stack:
        clients = [
            stack.enter_context(httpx.Client(base_url=url, timeout=TIMEOUT, limits=limits, verify=False))
            for _ in range(count)
        ]
        for client in clients:
            client.get("/livez")
        yield clients


@contextmanager
def race_server(server: Server) -> Iterator[OpenRace]:
    """Serve, with an operator and open connections; give out what opens a race there."""
    with ExitStack() as stack:
        server.start()
        stack.callback(server.kill)
        server.command("constance", "set", "FAILURES_PER_ADDRESS", "100000")  # all runners come from one
        operator = AdminProcess(server)
        stack.callback(operator.close)
        clients = stack.enter_context(open_clients(server.url, CONNECTIONS))

        @contextmanager
        def race(name: str) -> Iterator[Race]:
            opened = Race(name, server, operator, clients)
            try:
                yield opened
            finally:
                print(opened)
            opened.assert_invariants()

        yield race


@pytest.fixture(scope="session")
def server_environment() -> dict[str, str]:
    """The environment of the servers, besides the usual."""
    return {"DJANGO_SETTINGS_MODULE": "tests.races.cheap_hash", "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="session")
def make_server(tmp_path_factory: pytest.TempPathFactory, server_environment: dict[str, str]) -> Callable[[], Server]:
    """Return what makes a server that is not yet started, with an empty database of its own."""

    def new() -> Server:
        url = create_database(settings.DATABASE_URL) if settings.DATABASE_URL else ""
        return Server(tmp_path_factory.mktemp("races"), url, workers=2, threads=4, **server_environment)

    return new


@pytest.fixture(scope="session")
def race(make_server: Callable[[], Server]) -> Iterator[OpenRace]:
    """Open a race: `with race("refresh against logout") as on:`; it is judged at the end of the block."""
    with race_server(make_server()) as opens:
        yield opens
