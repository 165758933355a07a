"""Fixtures of the fault tests. Files for the database that is not selected are not collected."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.server import Server

collect_ignore_glob = ["test_sqlite_*"] if settings.DATABASE_URL else ["test_postgresql_*"]


@pytest.fixture
def server_with_8_threads(tmp_path: Path, database_url: str) -> Iterator[Server]:
    """A running server with 8 threads in each worker, for tests in which every client has to wait."""
    running = Server(tmp_path, database_url, threads=8)
    yield running.start()
    running.kill()
