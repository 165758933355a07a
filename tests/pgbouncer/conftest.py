"""Fixtures: a server that connects to the PostgreSQL of the run through PgBouncer. Not collected on SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.pgbouncer.pgbouncer_process import PREPARED_STATEMENTS_SINCE, PgBouncer, installed, installed_version
from tests.server import Server

collect_ignore_glob = [] if settings.DATABASE_URL else ["test_*"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize with prepared statements off, and on unless the installed PgBouncer is too old for them.

    Tests are collected on machines without PgBouncer, too.
    """
    if "keep_statements" in metafunc.fixturenames:
        path = installed()
        too_old = path is not None and installed_version(path) < PREPARED_STATEMENTS_SINCE
        modes = {"unprepared": False} | ({} if too_old else {"prepared": True})
        metafunc.parametrize("keep_statements", modes.values(), ids=modes, scope="module")


@pytest.fixture
def pgbouncer(database_url: str, keep_statements: bool) -> Iterator[PgBouncer]:
    running = PgBouncer(database_url, keep_statements).start()
    yield running
    running.stop()


@pytest.fixture
def pooled_server(tmp_path: Path, database_url: str, pgbouncer: PgBouncer) -> Iterator[Server]:
    """A server that migrates directly and serves through PgBouncer."""
    server = Server(tmp_path, database_url)
    migrated = server.command("migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr
    server.environment["DATABASE_URL"] = pgbouncer.url
    server.restart()
    server.environment["DATABASE_URL"] = database_url  # for other commands and for assertions on rows
    yield server
    server.kill()
