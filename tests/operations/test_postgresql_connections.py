"""How many connections to PostgreSQL there are, and what happens when there are too few."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from latchkey.db.async_pool import POOL_SIZE
from latchkey.hashing.executor import MAX_CONCURRENT
from tests.people import Person
from tests.postgres import Postgres
from tests.problems import assert_problem
from tests.server import Server
from tests.support.postgres_roles import OWNER, PAGE, postgres_with_roles, role_url

pytestmark = pytest.mark.fault
WORKERS, THREADS, MAIL_CONNECTIONS, METRICS_CONNECTIONS = 2, 4, 1, 1
OTHER_CONNECTIONS = POOL_SIZE + MAX_CONCURRENT + MAIL_CONNECTIONS + METRICS_CONNECTIONS
SOON = 3.0
"""Seconds in which a refusal for want of a connection has to come."""


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
    """Somebody whose access token outlasts the test."""
    with httpx.Client(base_url=server.url, timeout=20) as http:
        yield Person(http, "alice@example.com").register().login()


def limit(postgres: Postgres, connections: int) -> None:
    """Let the service have so many, as a full server would, and drop those that it holds."""
    postgres.sql(f"ALTER ROLE {OWNER} CONNECTION LIMIT {connections}")
    postgres.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{OWNER}'")
    postgres.wait_for(f"SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = '{OWNER}'", within=10)


def open_clients(person: Person, size: int) -> list[httpx.Response]:
    """Ask for a person's record, which is one statement, over so many connections at once."""

    def ask(_: int) -> httpx.Response:
        return httpx.get(f"{person.http.base_url}/api/me/", headers=person.bearer(), timeout=20)

    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(ask, range(size)))


@pytest.mark.ledger("ASVS-13.1.2")
def test_there_is_one_connection_a_thread_however_many_clients(postgres: Postgres, alice: Person) -> None:
    most = 0
    for _ in range(5):
        assert {answer.status_code for answer in open_clients(alice, 40)} == {200}
        most = max(most, int(postgres.sql(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{OWNER}'")))
    assert WORKERS * POOL_SIZE < most <= WORKERS * (THREADS + OTHER_CONNECTIONS)
    assert f"`workers x (threads + {OTHER_CONNECTIONS})`" in PAGE.read_text()


@pytest.mark.ledger("ASVS-13.1.2", "ASVS-13.2.6")
def test_too_few_connections_are_told_as_503_in_time_and_more_are_used_as_soon_as_they_are_there(
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
