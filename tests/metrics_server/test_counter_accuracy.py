"""Accuracy of the metrics: they equal the counts of a load generator, also after the death of a worker."""

import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import uuid4

import httpx
import pytest

from tests.fixtures.metrics import LaunchWithMetrics
from tests.people import Person
from tests.server import Server
from tests.support.metrics_endpoint import MetricsEndpoint


class CountingClient:
    """A client that counts its requests and the expected events with the labels of the metrics."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.events: Counter[str] = Counter()
        http.event_hooks["response"].append(self.count)

    def count(self, answer: httpx.Response) -> None:
        path = answer.request.url.path
        route = path if path.startswith("/api/") and not path.startswith("/api/nothing") else "other"
        self.requests[answer.request.method, route, answer.status_code] += 1

    def visit(self, name: str) -> None:
        """Cause every outcome that has an event, one or several times."""
        alice = Person(self.http, f"{name}@example.com").register().login()
        assert self.http.post("/api/login/", json={"email": alice.email, "password": "wrong"}).status_code == 401
        for _ in range(5):
            alice.refresh().me()
        assert alice.try_refresh(alice.spent[-1]).status_code == 200
        assert alice.try_refresh(str(uuid4())).status_code == 401
        assert alice.me("no token").status_code == 401
        assert self.http.get(f"/api/nothing/{name}").status_code == 404
        assert self.http.post("/api/login/", content=b"x" * 70_000).status_code == 413
        assert self.http.request("FOO", "/api/login/").status_code == 405
        assert alice.try_refresh(alice.spent[0]).status_code == 401
        assert alice.login().logout().status_code == 200
        self.events.update(
            {
                "user.registered": 1,
                "login.succeeded": 2,
                "login.failed": 1,
                "session.refreshed": 5,
                "session.retried": 1,
                "session.refused": 1,
                "session.replayed": 1,
                "session.ended": 1,
            }
        )


def run_clients(server: Server, names: list[str]) -> tuple[Counter[tuple[str, str, int]], Counter[str]]:
    """Run several clients concurrently; return the sums of their counts."""

    def visit(name: str) -> CountingClient:
        with httpx.Client(base_url=server.url, timeout=20) as http:
            client = CountingClient(http)
            client.visit(name)
        return client

    with ThreadPoolExecutor(4) as pool:
        clients = list(pool.map(visit, names))
    requests: Counter[tuple[str, str, int]] = Counter()
    events: Counter[str] = Counter()
    for client in clients:
        requests += client.requests
        events += client.events
    return requests, events


def kill_one(server: Server) -> None:
    """Kill a worker and wait until its replacement serves."""
    before = set(server.worker_pids())
    os.kill(before.pop(), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while len(server.worker_pids()) <= len(before) or not set(server.worker_pids()) - before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.ledger("CS-STUFF-1")
@pytest.mark.parametrize("workers", [2, 3])
def test_metrics_count_every_request_and_event_once_even_if_a_worker_dies(
    launch_with_metrics: LaunchWithMetrics, workers: int
) -> None:
    metrics = launch_with_metrics(workers)
    sent: Counter[tuple[str, str, int]] = Counter()
    expected_events: Counter[str] = Counter()
    done = Event()
    with ThreadPoolExecutor(1) as pool:
        scraper = pool.submit(assert_counters_never_decrease, metrics, done)
        try:
            for half in ("first", "second"):
                requests, events = run_clients(metrics.server, [f"{half}{number}" for number in range(4)])
                sent += requests
                expected_events += events
                assert metrics.requests() == with_method_labels(sent)
                assert metrics.events() == expected_events
                if half == "first":
                    kill_one(metrics.server)
                    metrics.wait_for(lambda: metrics.value("latchkey_workers") == workers, within=20)
        finally:
            done.set()
        assert scraper.result() > 2
    files = list(metrics.server.metrics_directory().glob("counter_*"))
    assert len(files) == workers  # a new worker goes on with that of a dead one


def with_method_labels(sent: Counter[tuple[str, str, int]]) -> Counter[tuple[str, str, int]]:
    """Return the counts with the method labels of the metrics: unknown methods become `other`."""
    known = ("GET", "POST")
    counted: Counter[tuple[str, str, int]] = Counter()
    for (method, route, status), number in sent.items():
        counted[method if method in known else "other", route, status] += number
    return counted


def assert_counters_never_decrease(metrics: MetricsEndpoint, done: Event) -> int:
    """Scrape continuously; return the number of scrapes. Fails if a counter decreases."""
    seen: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    scrapes = 0
    while not done.wait(0.05):
        try:
            samples = metrics.samples()
        except httpx.TransportError:  # the worker that answered was the one that was killed
            continue
        now = {
            (one.name, tuple(sorted(one.labels.items()))): one.value
            for one in samples
            if one.name.endswith(("_total", "_count", "_bucket", "_sum"))
        }
        assert {key for key, value in seen.items() if now.get(key, 0) < value} == set()
        seen = now
        scrapes += 1
    return scrapes
