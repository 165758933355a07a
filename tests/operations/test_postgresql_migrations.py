"""Concurrent `latchkey migrate` of several nodes: one migrates under an advisory lock, the others wait."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from latchkey.management.commands.migrate import ADVISORY_LOCK_ID
from tests.server import Server

NODES = 4


def begin(server: Server) -> "subprocess.Popen[bytes]":
    return server.spawn("migrate", "--no-color", output=subprocess.PIPE)


def wait_for_output(process: "subprocess.Popen[bytes]") -> str:
    """Return the output of a node after its successful end."""
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors.decode()
    return output.decode()


@pytest.fixture
def node(tmp_path: Path, database_url: str) -> Server:
    return Server(tmp_path, database_url)


@pytest.mark.parametrize("run", range(2))
def test_parallel_migrate_commands_on_an_empty_database_all_succeed(node: Server, database_url: str, run: int) -> None:
    outputs = [wait_for_output(process) for process in [begin(node) for _ in range(NODES)]]
    assert sorted("Applying latchkey.0001_initial... OK" in output for output in outputs) == [False] * (NODES - 1) + [
        True
    ]
    assert sum("No migrations to apply." in output for output in outputs) == NODES - 1
    with psycopg.connect(database_url) as connection:
        twice = "SELECT app, name FROM django_migrations GROUP BY app, name HAVING count(*) > 1"
        assert connection.execute(twice).fetchall() == []


def test_migrate_waits_for_another_node_and_takes_over_when_that_dies(node: Server, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK_ID])
        waiting = begin(node)
        assert waiting.stderr is not None
        assert waiting.stderr.readline() == b"Another node is migrating this database; waiting for it to end.\n"
        assert other.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,)
        assert waiting.poll() is None
    assert "Applying latchkey.0001_initial... OK" in wait_for_output(waiting)
