"""A database that holds its connections and says nothing more: the own address says so in time, and goes on."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.watch.conftest import Launch
from tests.watch.scrape import Scrapes

IN_TIME = 4.0
"""Seconds: the probe gives up after 2."""


@contextmanager
def hung(metrics: Scrapes) -> Iterator[None]:
    """Stop every process of PostgreSQL that serves us; statement_timeout is theirs, and stops with them."""
    ours = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(metrics.server.environment["DATABASE_URL"]) as connection:
        pids = [pid for (pid,) in connection.execute(ours)]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    yield
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.ledger("H-INF-14")
def test_a_hung_database_is_not_ready_in_time_while_the_process_is_alive_and_its_metrics_go_on(launch: Launch) -> None:
    metrics = launch(workers=1, threads=2)
    with httpx.Client(base_url=metrics.server.url) as http:
        Person(http, "alice@example.com").register().login().me()
    assert metrics.get("/readyz").status_code == 200
    with hung(metrics):
        for _ in range(3):
            began = time.monotonic()
            assert_problem(metrics.get("/readyz"), 503, "unavailable")
            assert metrics.get("/livez").status_code == 200
            assert metrics.events()["login.succeeded"] == 1
            assert time.monotonic() - began < 2 * IN_TIME
        assert "latchkey_live_sessions" not in metrics.get().text
    metrics.wait_for(lambda: metrics.get("/readyz").status_code == 200, within=20)
    assert metrics.value("latchkey_live_sessions") == 1
