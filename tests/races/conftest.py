"""Fixtures: servers with a cheap password hasher, as a race here is for rows of the database.

The fixtures are of the whole session, so this folder has all three of its own.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fixtures.races import OpenRace, new_server, race_server
from tests.server import Server

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def server_environment() -> dict[str, str]:
    """Additional environment variables of the servers."""
    return {"DJANGO_SETTINGS_MODULE": "tests.races.cheap_hasher_settings", "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="session")
def make_server(tmp_path_factory: pytest.TempPathFactory, server_environment: dict[str, str]) -> Callable[[], Server]:
    """Return a factory of servers that are not started, each with an empty database of its own."""
    return lambda: new_server(tmp_path_factory.mktemp("races"), server_environment)


@pytest.fixture(scope="session")
def race(make_server: Callable[[], Server]) -> Iterator[OpenRace]:
    """Open a race: `with race("refresh against logout") as on:`; its outcome is asserted at the end of the block."""
    with race_server(make_server()) as opens:
        yield opens
