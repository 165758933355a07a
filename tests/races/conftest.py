"""One server for all races, with 2 workers of 4 threads, on the database of the run."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from tests.races.operators import Operator
from tests.races.racing import PATIENCE, Race
from tests.server import Server, fresh_database

ROOT = Path(__file__).parents[2]
RUNNERS = 12

OpenRace = Callable[[str], AbstractContextManager[Race]]


@contextmanager
def connected(url: str, count: int) -> Iterator[list[httpx.Client]]:
    """Return so many clients with a connection each, which is open already and stays so."""
    limits = httpx.Limits(max_connections=1, keepalive_expiry=None)
    with ExitStack() as stack:
        clients = [
            stack.enter_context(httpx.Client(base_url=url, timeout=PATIENCE, limits=limits, verify=False))
            for _ in range(count)
        ]
        for client in clients:
            client.get("/livez")
        yield clients


@contextmanager
def racetrack(server: Server) -> Iterator[OpenRace]:
    """Serve, with an operator and open connections; give out what opens a race there."""
    with ExitStack() as stack:
        server.start()
        stack.callback(server.kill)
        server.command("constance", "set", "FAILURES_PER_ADDRESS", "100000")  # all runners come from one
        operator = Operator(server)
        stack.callback(operator.leave)
        clients = stack.enter_context(connected(server.url, RUNNERS))

        @contextmanager
        def race(name: str) -> Iterator[Race]:
            opened = Race(name, server, operator, clients)
            try:
                yield opened
            finally:
                print(opened)
            opened.judge()

        yield race


@pytest.fixture(scope="session")
def served_with() -> dict[str, str]:
    """The environment of the servers, besides the usual."""
    return {"DJANGO_SETTINGS_MODULE": "tests.races.cheap_hash", "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="session")
def new_server(tmp_path_factory: pytest.TempPathFactory, served_with: dict[str, str]) -> Callable[[], Server]:
    """Return what makes a server that is not yet started, with an empty database of its own."""

    def new() -> Server:
        url = fresh_database(settings.DATABASE_URL) if settings.DATABASE_URL else ""
        return Server(tmp_path_factory.mktemp("races"), url, workers=2, threads=4, **served_with)

    return new


@pytest.fixture(scope="session")
def race(new_server: Callable[[], Server]) -> Iterator[OpenRace]:
    """Open a race: `with race("refresh against logout") as on:`; it is judged at the end of the block."""
    with racetrack(new_server()) as opens:
        yield opens
