"""A PostgreSQL that crashes or is away for a while signs nobody out, and Latchkey needs no restart."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.people import Person
from tests.postgres import Postgres
from tests.server import Server
from tests.support.availability import assert_alive, assert_unavailable, lose_responses, send_refresh
from tests.support.postgres_servers import postgres_and_server
from tests.support.refreshing_clients import Client, Load

pytestmark = pytest.mark.fault
RETRY_WINDOW = 10.0
"""Seconds, as shipped: for so long is a spent token answered with its successor again."""


def in_doubt_too_long(client: Client) -> bool:
    """Tell whom a slow machine kept waiting past the retry window; the last test here counts what comes of that."""
    return client.seconds_in_doubt >= RETRY_WINDOW


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Postgres, Server]]:
    with postgres_and_server(tmp_path) as both:
        yield both


@pytest.mark.ledger("H-INF-02")
def test_a_postgresql_that_crashes_three_times_signs_nobody_out(
    both: tuple[Postgres, Server], start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    postgres, server = both
    workers = server.worker_pids()
    with start_load(server.url) as load:
        for _ in range(3):
            load.wait_for_refreshes(100)
            postgres.restart("immediate")
        load.wait_for_refreshes(100)
    assert server.worker_pids() == workers
    assert_outcome(load, server, "3 crashes of PostgreSQL")


@pytest.mark.ledger("H-INF-01")
def test_a_postgresql_that_is_away_for_5_s_is_told_as_503(
    both: tuple[Postgres, Server], start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    postgres, server = both
    workers = server.worker_pids()
    load = start_load(server.url)
    with httpx.Client(base_url=server.url, timeout=20) as http:
        bob = Person(http, load.clients[0].name).login()
        bob.logout()
        with load:
            load.wait_for_refreshes(100)
            postgres.stop("immediate")
            until = time.monotonic() + 5
            while time.monotonic() < until:
                assert_unavailable(send_refresh(load.clients[0]))
                assert_unavailable(bob.me())
                assert_unavailable(http.post("/api/login/", json={"email": bob.email, "password": bob.password}))
                assert_unavailable(http.get("/readyz"))
                assert_alive(server)
            postgres.start()
            recovery = load.wait_for_refreshes(100)
        assert http.get("/readyz").status_code == 200
        assert bob.me().status_code == 401
    assert server.worker_pids() == workers
    assert_outcome(load, server, f"PostgreSQL away for 5 s, recovery {recovery:.1f} s", beyond_help=in_doubt_too_long)


def test_a_postgresql_that_accepts_and_says_nothing_is_told_as_503(
    both: tuple[Postgres, Server], start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    postgres, server = both
    load = start_load(server.url, clients=1)
    postgres.stop("immediate")
    with socket.create_server(("127.0.0.1", postgres.port)):
        for _ in range(3):
            assert_unavailable(send_refresh(load.clients[0]))
            assert_unavailable(httpx.get(f"{server.url}/readyz", timeout=20))
            assert_alive(server, within=1)
    postgres.start()
    assert_outcome(load, server, "a PostgreSQL that says nothing")


def test_an_outage_longer_than_the_retry_window_is_counted(
    both: tuple[Postgres, Server], start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    postgres, server = both
    load = start_load(server.url)
    in_doubt = load.clients[:8]
    lose_responses(in_doubt)
    postgres.stop("immediate")
    time.sleep(RETRY_WINDOW)
    postgres.start()
    assert_outcome(load, server, "away for 10 s during 8 retries", beyond_help=in_doubt.__contains__)
