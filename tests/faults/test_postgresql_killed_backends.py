"""A batch of refreshes whose PostgreSQL backend dies signs nobody out, and no client gets the answer of another."""

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.server import Server
from tests.support.postgres_servers import postgres_and_server
from tests.support.refreshing_clients import Load

pytestmark = pytest.mark.fault
CLIENTS, SECONDS = 64, 10.0

ACTIVE_BATCH = """
FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%UPDATE%AS member%'
 AND pid <> pg_backend_pid()
"""


def wait_for_batch(connection: "psycopg.Connection[tuple[int, ...]]", what: str) -> list[tuple[int, ...]]:
    """Return this column of the first backend that is seen executing a batch; it does for less than a millisecond."""
    deadline = time.monotonic() + 10
    while not (found := connection.execute(f"SELECT {what} {ACTIVE_BATCH} LIMIT 1".encode()).fetchall()):
        assert time.monotonic() < deadline, "no batch within 10 s"
    return found


def test_backends_that_are_terminated_in_a_batch_sign_nobody_out(
    server: Server, database_url: str, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    load, kills, until = start_load(server.url, clients=CLIENTS), 0, time.monotonic() + SECONDS
    with load, psycopg.connect(database_url, autocommit=True) as killer:
        while kills < 5 or time.monotonic() < until:
            wait_for_batch(killer, "pg_terminate_backend(pid)")
            kills += 1
        load.wait_for_refreshes(CLIENTS)
    assert_outcome(load, server, f"{kills} backends terminated in a batch")


def test_crash_of_postgresql_in_a_batch_signs_nobody_out(
    tmp_path: Path, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    with postgres_and_server(tmp_path) as (postgres, server):
        with start_load(server.url, clients=CLIENTS) as load:
            for _ in range(2):
                load.wait_for_refreshes(CLIENTS)
                with psycopg.connect(server.environment["DATABASE_URL"], autocommit=True) as watching:
                    wait_for_batch(watching, "pid")
                postgres.restart("immediate")
            load.wait_for_refreshes(CLIENTS)
        assert_outcome(load, server, "2 crashes of PostgreSQL in a batch")
