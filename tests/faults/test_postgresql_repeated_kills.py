"""Endurance: backends, workers and PostgreSQL itself are killed again and again while 64 clients refresh.

`make test-endurance` runs it for 500,000 refreshes, `make test-sessions` for one round.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.faults.test_postgresql_killed_backends import wait_for_batch
from tests.server import Server
from tests.support.postgres_servers import postgres_and_server
from tests.support.refreshing_clients import Load

pytestmark = pytest.mark.fault
CLIENTS = 64
REFRESHES_BETWEEN = 500
"""Refreshes between two kills, in which every client goes on several times."""

BACKENDS = 8
"""Backends that are terminated in a round; then a worker and PostgreSQL follow."""


def kill_backends(load: Load, url: str) -> None:
    """Terminate one backend after another while it executes a batch."""
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(BACKENDS):
            wait_for_batch(connection, "pg_terminate_backend(pid)")
            load.wait_for_refreshes(REFRESHES_BETWEEN)


def kill_oldest_worker(load: Load, server: Server) -> None:
    os.kill(server.worker_pids()[0], signal.SIGKILL)
    load.wait_for_refreshes(REFRESHES_BETWEEN)


def test_repeated_kills_of_everything_sign_nobody_out(
    tmp_path: Path,
    refreshes: int,
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    rounds = 0
    with postgres_and_server(tmp_path) as (postgres, server):
        with start_load(server.url, clients=CLIENTS) as load:
            while not rounds or load.statuses()["200"] < refreshes:
                kill_backends(load, server.environment["DATABASE_URL"])
                kill_oldest_worker(load, server)
                postgres.restart("immediate")
                load.wait_for_refreshes(REFRESHES_BETWEEN)
                rounds += 1
                with capsys.disabled():
                    print(f"\r{load}", end="", flush=True)
        kills = f"{rounds * BACKENDS} backends, {rounds} workers and {rounds} times PostgreSQL killed"
        assert_outcome(load, server, kills)
