"""The number of PostgreSQL connections of a server, and its behaviour when PostgreSQL grants too few."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from latchkey.db.async_pool import POOL_SIZE
from latchkey.hashing.queue import MAX_CONCURRENT
from tests.people import Person
from tests.postgres import Postgres
from tests.problems import assert_problem
from tests.server import Server
from tests.support.postgres_roles import OWNER, PAGE, postgres_with_roles, role_url

pytestmark = pytest.mark.fault
WORKERS, THREADS = 2, 4
ADMISSION, MAIL, METRICS, PROBE = 1, 1, 1, 1
OTHER_CONNECTIONS = POOL_SIZE + MAX_CONCURRENT + ADMISSION + MAIL + METRICS + PROBE
SOON = 3.0
"""Seconds within which a request without a connection gets 503."""


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with postgres_with_roles() as postgres:
        yield postgres


@pytest.fixture
def server(postgres: Postgres, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, role_url(OWNER, postgres.port), WORKERS, THREADS)
    server.start()
    set_lifetime = server.command("constance", "set", "ACCESS_TOKEN_LIFETIME", "3600")
    assert set_lifetime.returncode == 0, set_lifetime.stderr
    yield server
    server.kill()


@pytest.fixture
def alice(server: Server) -> Iterator[Person]:
    """A user whose access token outlasts the test."""
    with httpx.Client(base_url=server.url, timeout=20) as http:
        yield Person(http, "alice@example.com").register().login()


def limit(postgres: Postgres, connections: int) -> None:
    """Limit the service to this number of connections, as a full PostgreSQL would, and close the open ones."""
    postgres.sql(f"ALTER ROLE {OWNER} CONNECTION LIMIT {connections}")
    postgres.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{OWNER}'")
    postgres.wait_for(f"SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = '{OWNER}'", within=10)


def open_clients(person: Person, size: int) -> list[httpx.Response]:
    """Send `GET /api/me/`, which takes one statement, over this number of connections in parallel."""

    def ask(_: int) -> httpx.Response:
        return httpx.get(f"{person.http.base_url}/api/me/", headers=person.bearer(), timeout=20)

    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(ask, range(size)))


@pytest.mark.ledger("ASVS-13.1.2")
def test_server_opens_one_postgresql_connection_per_thread_for_any_number_of_clients(
    postgres: Postgres, alice: Person
) -> None:
    most = 0
    for _ in range(5):
        assert {answer.status_code for answer in open_clients(alice, 40)} == {200}
        most = max(most, int(postgres.sql(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{OWNER}'")))
    assert WORKERS * POOL_SIZE < most <= WORKERS * (THREADS + OTHER_CONNECTIONS)
    assert f"`workers x (threads + {OTHER_CONNECTIONS})`" in PAGE.read_text()


@pytest.mark.ledger("ASVS-13.1.2", "ASVS-13.2.6")
def test_requests_without_a_free_postgresql_connection_get_503_promptly_until_one_is_free(
    postgres: Postgres, alice: Person
) -> None:
    limit(postgres, 1)
    seen: Counter[int] = Counter()
    deadline = time.monotonic() + 20
    while seen[200] < 20 or seen[503] < 20:
        assert time.monotonic() < deadline, seen
        for answer in open_clients(alice, 20):
            seen[answer.status_code] += 1
            assert answer.elapsed.total_seconds() < SOON
            if answer.status_code == 503:
                assert_problem(answer, 503, "unavailable")
        assert alice.http.get("/livez").status_code == 200
    assert set(seen) == {200, 503}
    limit(postgres, 100)
    deadline = time.monotonic() + 10
    while 503 in {answer.status_code for answer in open_clients(alice, 20)}:
        assert time.monotonic() < deadline
    assert alice.refresh().me().status_code == 200
