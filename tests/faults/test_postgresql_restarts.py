"""A crash or an outage of PostgreSQL signs nobody out, and the server needs no restart."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import httpx
import pytest

from tests.people import Person
from tests.postgres import Postgres
from tests.server import Server
from tests.support.availability import assert_alive, assert_unavailable, lose_responses, send_refresh
from tests.support.postgres_servers import postgres_and_server
from tests.support.refreshing_clients import Load

pytestmark = pytest.mark.fault
LONG_OUTAGE = 30.0
"""Seconds, three times the retry window: an election of a new primary takes 20 s."""


@pytest.fixture
def postgres_and_running_server(tmp_path: Path) -> Iterator[tuple[Postgres, Server]]:
    with postgres_and_server(tmp_path) as postgres_and_running_server:
        yield postgres_and_running_server


@pytest.mark.ledger("H-INF-02")
def test_three_postgresql_crashes_under_load_sign_nobody_out(
    postgres_and_running_server: tuple[Postgres, Server],
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
) -> None:
    postgres, server = postgres_and_running_server
    workers = server.worker_pids()
    with start_load(server.url) as load:
        for _ in range(3):
            load.wait_for_refreshes(100)
            postgres.restart("immediate")
        load.wait_for_refreshes(100)
    assert server.worker_pids() == workers
    assert_outcome(load, server, "3 crashes of PostgreSQL")


def test_no_request_is_answered_503_after_a_crash_of_postgresql_is_over(
    postgres_and_running_server: tuple[Postgres, Server],
) -> None:
    postgres, server = postgres_and_running_server
    server.raise_address_limits()
    with httpx.Client(base_url=server.url, timeout=20) as http, ThreadPoolExecutor(8) as pool:
        alice = Person(http, "alice@example.com").register()

        def sign_in_and_rename(number: int) -> set[int]:
            """Send requests to a thread of each kind: sign-in hashes, and `PUT` is Django's own."""
            signed_in = http.post("/api/login/", json={"email": alice.email, "password": alice.password})
            assert signed_in.status_code == 200, signed_in.text
            bearer = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
            named = http.put("/api/me/", headers=bearer, json={"username": f"Alice {number}"})
            return {named.status_code, http.get("/api/me/", headers=bearer).status_code}

        for _ in range(3):
            assert set().union(*pool.map(sign_in_and_rename, range(24))) == {200}
            postgres.restart("immediate")


@pytest.mark.ledger("H-INF-01")
def test_endpoints_return_503_while_postgresql_is_down_for_5_s(
    postgres_and_running_server: tuple[Postgres, Server],
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
) -> None:
    postgres, server = postgres_and_running_server
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
    assert_outcome(load, server, f"PostgreSQL away for 5 s, recovery {recovery:.1f} s")


def test_endpoints_return_503_while_postgresql_accepts_connections_but_does_not_respond(
    postgres_and_running_server: tuple[Postgres, Server],
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
) -> None:
    postgres, server = postgres_and_running_server
    load = start_load(server.url, clients=1)
    postgres.stop("immediate")
    with socket.create_server(("127.0.0.1", postgres.port)):
        for _ in range(3):
            assert_unavailable(send_refresh(load.clients[0]))
            assert_unavailable(httpx.get(f"{server.url}/readyz", timeout=20))
            assert_alive(server, within=1)
    postgres.start()
    assert_outcome(load, server, "a PostgreSQL that says nothing")


@pytest.mark.parametrize("is_under_load", [False, True])
def test_outage_of_30_s_signs_nobody_out_with_and_without_a_key(
    postgres_and_running_server: tuple[Postgres, Server],
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
    is_under_load: bool,
) -> None:
    postgres, server = postgres_and_running_server
    load = start_load(server.url)
    lose_responses(load.clients)
    postgres.stop("immediate")
    with load if is_under_load else nullcontext():
        time.sleep(LONG_OUTAGE)
        postgres.start()
        time.sleep(1)
    assert_outcome(load, server, f"away for {LONG_OUTAGE:.0f} s during 16 retries")
