"""A hung PostgreSQL: the metrics listener reports it in time and keeps answering."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.fixtures.metrics import LaunchWithMetrics
from tests.people import Person
from tests.problems import assert_problem
from tests.support.metrics_endpoint import MetricsEndpoint
from tests.support.postgres_servers import frozen_backends

THREADS, MANY = 2, 6
IN_TIME = 4.0
"""Maximum seconds of a response; the probe times out after 2."""


@pytest.mark.ledger("H-INF-14")
def test_hung_postgresql_makes_readyz_503_while_livez_and_metrics_answer(
    launch_with_metrics: LaunchWithMetrics,
) -> None:
    metrics = launch_with_metrics(workers=1, threads=THREADS)
    with httpx.Client(base_url=metrics.server.url) as http:
        alice = Person(http, "alice@example.com").register().login()
    with ThreadPoolExecutor(MANY) as pool:
        list(
            pool.map(lambda _: list_sessions(metrics, alice), range(2 * MANY))
        )  # so that each thread has its connection
        assert metrics.get("/readyz").status_code == 200
        block_all_threads(metrics, pool, alice)
    metrics.wait_for(lambda: metrics.get("/readyz").status_code == 200, within=20)
    assert metrics.value("latchkey_live_sessions") == 1


def list_sessions(metrics: MetricsEndpoint, person: Person) -> int:
    """Send a request that takes a thread, and return its status."""
    return httpx.get(f"{metrics.server.url}/api/sessions/", headers=person.bearer(), timeout=60).status_code


def block_all_threads(metrics: MetricsEndpoint, pool: ThreadPoolExecutor, alice: Person) -> None:
    """Send more requests than there are threads while the database hangs, and check the metrics listener meanwhile."""
    with frozen_backends(metrics.server.environment["DATABASE_URL"]):
        requests = [pool.submit(list_sessions, metrics, alice) for _ in range(MANY)]
        began = time.monotonic()
        assert_problem(metrics.get("/readyz"), 503, "unavailable")
        assert metrics.get("/livez").status_code == 200
        assert time.monotonic() - began < IN_TIME
        assert metrics.value("latchkey_threads_busy", pool="requests") == THREADS
        assert metrics.value("latchkey_requests_waiting", pool="requests") == MANY - THREADS
        assert metrics.value("latchkey_database_connections_busy") >= THREADS
        assert metrics.events()["login.succeeded"] == 1
        assert not any(one.done() for one in requests)
        assert {one.result() for one in requests} <= {200, 503}
