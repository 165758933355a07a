"""Latchkey behind a PgBouncer, which stands before the PostgreSQL of the run; there is none of this on SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.faults.conftest import conclude, loads, pytest_terminal_summary
from tests.pgbouncer.pooler import KEEPS_STATEMENTS, Pooler, version
from tests.server import Server

__all__ = ["conclude", "loads", "pytest_terminal_summary"]

collect_ignore_glob = [] if settings.DATABASE_URL else ["test_*"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run everything without prepared statements, and with them where this PgBouncer knows them."""
    if "keep_statements" in metafunc.fixturenames:
        modes = {"unprepared": False} | ({"prepared": True} if version() >= KEEPS_STATEMENTS else {})
        metafunc.parametrize("keep_statements", modes.values(), ids=modes, scope="module")


@pytest.fixture
def pooler(database_url: str, keep_statements: bool) -> Iterator[Pooler]:
    running = Pooler(database_url, keep_statements).start()
    yield running
    running.stop()


@pytest.fixture
def pooled(tmp_path: Path, database_url: str, pooler: Pooler) -> Iterator[Server]:
    """A server that is migrated past PgBouncer and serves through it."""
    server = Server(tmp_path, database_url)
    migrated = server.command("migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr
    server.environment["DATABASE_URL"] = pooler.url
    server.restart()
    server.environment["DATABASE_URL"] = database_url  # for every other command, and for those who look at the rows
    yield server
    server.kill()
