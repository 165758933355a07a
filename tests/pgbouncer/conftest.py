"""Latchkey behind a PgBouncer, which stands before the PostgreSQL of the run; there is none of this on SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.faults.conftest import conclude, loads, pytest_terminal_summary
from tests.pgbouncer.pooler import KEEPS_STATEMENTS, Pooler, installed, version
from tests.server import Server

__all__ = ["conclude", "loads", "pytest_terminal_summary"]

collect_ignore_glob = [] if settings.DATABASE_URL else ["test_*"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize with prepared statements off, and on unless the installed PgBouncer is too old for them.

    Tests are collected on machines without PgBouncer, too.
    """
    if "keep_statements" in metafunc.fixturenames:
        path = installed()
        too_old = path is not None and version(path) < KEEPS_STATEMENTS
        modes = {"unprepared": False} | ({} if too_old else {"prepared": True})
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
