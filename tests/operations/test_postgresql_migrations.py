"""Nodes that start together and all run `latchkey migrate`: one does it, the others wait for it and find it done."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from latchkey.management.commands.migrate import ADVISORY_LOCK_ID
from tests.server import Server

NODES = 4


def begin(server: Server) -> "subprocess.Popen[bytes]":
    return server.spawn("migrate", "--no-color", output=subprocess.PIPE)


def said(process: "subprocess.Popen[bytes]") -> str:
    """Return all that a node has said, once it has ended well."""
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors.decode()
    return output.decode()


@pytest.fixture
def node(tmp_path: Path, database_url: str) -> Server:
    return Server(tmp_path, database_url)


@pytest.mark.parametrize("run", range(2))
def test_nodes_that_migrate_an_empty_database_together_all_end_well(node: Server, database_url: str, run: int) -> None:
    told = [said(process) for process in [begin(node) for _ in range(NODES)]]
    assert sorted("Applying latchkey.0001_initial... OK" in output for output in told) == [False] * (NODES - 1) + [True]
    assert sum("No migrations to apply." in output for output in told) == NODES - 1
    with psycopg.connect(database_url) as connection:
        twice = "SELECT app, name FROM django_migrations GROUP BY app, name HAVING count(*) > 1"
        assert connection.execute(twice).fetchall() == []


def test_a_node_that_waits_says_so_and_goes_on_when_the_other_dies(node: Server, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK_ID])
        waiting = begin(node)
        assert waiting.stderr is not None
        assert waiting.stderr.readline() == b"Another node is migrating this database; waiting for it to end.\n"
        assert other.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,)
        assert waiting.poll() is None
    assert "Applying latchkey.0001_initial... OK" in said(waiting)
