"""Upgrades without downtime: the tables are migrated while the old version serves, then the new version starts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server import Server
from tests.support.refreshing_clients import Load

MIGRATIONS = sorted(path.stem for path in Path(__file__).parents[2].glob("latchkey/migrations/0*.py"))
STATEMENTS_0_1 = Path(__file__).with_name("statements_0_1.py").read_text()
OLD_VERSION = Path(__file__).with_name("old_version.py").read_text()


def run(server: Server, *command: str) -> str:
    done = server.command(*command)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Server:
    """A server that is not started, on a database that it does not migrate by itself."""
    return Server(tmp_path, database_url or f"sqlite:///{tmp_path / 'own.sqlite3'}")


@pytest.mark.ledger("H-INF-12")
def test_models_of_every_older_version_work_on_the_current_tables(database: Server) -> None:
    run(database, "migrate", "--verbosity", "0")
    assert len(MIGRATIONS) >= 2
    output = run(database, "shell", "--no-imports", "-c", OLD_VERSION)
    assert output.splitlines() == [f"{name} works" for name in MIGRATIONS[:-1]]


@pytest.mark.ledger("H-INF-12")
def test_statements_of_version_0_1_work_on_the_current_tables(database: Server) -> None:
    run(database, "migrate", "--verbosity", "0")
    assert run(database, "shell", "--no-imports", "-c", STATEMENTS_0_1).split() == ["1"] * 6


@pytest.mark.ledger("H-INF-12")
def test_serve_refuses_to_start_on_the_tables_of_an_older_version(database: Server) -> None:
    run(database, "migrate", "latchkey", MIGRATIONS[-2], "--verbosity", "0")
    done = database.command("serve", "--port", str(database.port))
    assert done.returncode == 2
    assert done.stderr == "latchkey: The database is not up to date; run 'latchkey migrate' first.\n"
    run(database, "migrate", "--verbosity", "0")
    try:
        database.restart()
    finally:
        database.kill()


@pytest.mark.fault
@pytest.mark.ledger("H-INF-12")
def test_migration_under_load_signs_no_user_out(
    server: Server, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    load = start_load(server.url)
    run(server, "migrate", "--fake", "latchkey", MIGRATIONS[0])
    with load:
        load.wait_for_refreshes(50)
        run(server, "migrate", "latchkey", MIGRATIONS[1])  # changes the table of sessions on PostgreSQL
        load.wait_for_refreshes(50)
    run(server, "migrate", "--fake", "latchkey")
    assert_outcome(load, server, "a migration under load")
