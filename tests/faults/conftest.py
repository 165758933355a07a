"""Fixtures of the fault tests. Files for the database that is not selected are not collected."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.server import Server

DEFAULT_REFRESHES = 5_000

collect_ignore_glob = ["test_sqlite_*"] if settings.DATABASE_URL else ["test_postgresql_*"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--refreshes", type=int, help="refreshes of the endurance test, in place of one round")


@pytest.fixture
def refreshes(request: pytest.FixtureRequest) -> int:
    """How many refreshes an endurance test goes on for."""
    return request.config.getoption("--refreshes", default=None) or DEFAULT_REFRESHES


@pytest.fixture
def server_with_8_threads(tmp_path: Path, database_url: str) -> Iterator[Server]:
    """A running server with 8 threads in each worker, for tests in which every client has to wait."""
    running = Server(tmp_path, database_url, threads=8)
    yield running.start()
    running.kill()
