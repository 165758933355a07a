"""LATCHKEY_METRICS_ADDRESS: a separate listener for metrics and probes."""

import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.fixtures.metrics import LaunchWithMetrics
from tests.people import Person
from tests.postgres import free_port
from tests.problems import assert_problem
from tests.server import Server
from tests.support.production import ENVIRONMENT, HOST

PATHS = ("/metrics", "/livez", "/readyz")


@pytest.mark.ledger("ASVS-13.4.5")
def test_metrics_listener_serves_metrics_and_probes_and_the_main_one_no_metrics(
    launch_with_metrics: LaunchWithMetrics,
) -> None:
    metrics = launch_with_metrics()
    for path in PATHS:
        assert metrics.get(path).status_code == 200
        assert httpx.head(f"{metrics.url}{path}").content == b""
    assert_problem(metrics.get("/api/"), 404, "not_found")
    assert_problem(httpx.post(f"{metrics.url}/metrics"), 405, "method_not_allowed")
    assert_problem(httpx.get(f"{metrics.server.url}/metrics"), 404, "not_found")
    for probe in PATHS[1:]:
        assert httpx.get(f"{metrics.server.url}{probe}").json() == metrics.get(probe).json() == {"status": "ok"}
    assert "wsgiref" not in str(metrics.get().headers).lower()


@pytest.mark.ledger("ASVS-13.4.5")
def test_metrics_in_production_are_only_on_the_listener_with_any_host(
    launch_with_metrics: LaunchWithMetrics,
) -> None:
    metrics = launch_with_metrics(workers=1, **ENVIRONMENT)
    response = httpx.get(f"{metrics.server.url}/metrics", headers={"Host": HOST})
    assert_problem(response, 404, "not_found")
    assert httpx.get(f"{metrics.url}/metrics", headers={"Host": "10.1.2.3:9100"}).status_code == 200


@pytest.mark.ledger("ASVS-13.4.5")
def test_metrics_in_production_without_a_listener_return_404(tmp_path: Path, database_url: str) -> None:
    server = Server(tmp_path, database_url, workers=1, **ENVIRONMENT).start()
    try:
        assert_problem(httpx.get(f"{server.url}/metrics", headers={"Host": HOST}), 404, "not_found")
    finally:
        server.kill()


def test_metrics_in_development_are_on_the_main_address_for_all_workers(server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        Person(http, "alice@example.com").register().login().refresh()
    exposition = httpx.get(f"{server.url}/metrics").text
    assert 'latchkey_events_total{event="session.refreshed"} 1.0' in exposition


def test_metrics_listener_answers_while_all_hashing_threads_are_busy(launch_with_metrics: LaunchWithMetrics) -> None:
    metrics = launch_with_metrics(workers=1, threads=2)
    with httpx.Client(base_url=metrics.server.url) as http:
        bob = Person(http, "bob@example.com").register().login()
    with KeepHashing(metrics.server, bob, 6):
        metrics.wait_for(lambda: metrics.value("latchkey_threads_busy", pool="passwords") == 1)
        metrics.wait_for(lambda: metrics.value("latchkey_requests_waiting", pool="passwords") >= 1)
        began = time.monotonic()
        assert metrics.get("/livez").status_code == 200
        assert time.monotonic() - began < 1
    metrics.wait_for(lambda: metrics.value("latchkey_threads_busy", pool="passwords") == 0)
    assert metrics.value("latchkey_database_connections") >= 1


class KeepHashing:
    """Keep the hashing thread busy with concurrent logins of several clients."""

    def __init__(self, server: Server, person: Person, clients: int) -> None:
        self.url, self.person, self.clients = server.url, person, clients
        self.over = threading.Event()

    def __enter__(self) -> None:
        self.pool = ThreadPoolExecutor(self.clients)
        self.jobs = [self.pool.submit(self.sign_in) for _ in range(self.clients)]

    def sign_in(self) -> None:
        with httpx.Client(base_url=self.url, timeout=20) as http:
            while not self.over.is_set():
                Person(http, self.person.email).login()

    def __exit__(self, *exception: object) -> None:
        self.over.set()
        self.pool.shutdown()


def test_metrics_listener_answers_with_all_counts_while_one_worker_hangs(
    launch_with_metrics: LaunchWithMetrics,
) -> None:
    metrics = launch_with_metrics(workers=2)
    metrics.wait_for(lambda: metrics.value("latchkey_workers") == 2)
    stopped = metrics.server.worker_pids()[0]
    os.kill(stopped, signal.SIGSTOP)
    try:
        assert [metrics.get(path).status_code for path in PATHS * 5] == [200] * 15
        assert metrics.value("latchkey_workers") == 2
    finally:
        os.kill(stopped, signal.SIGCONT)


def test_sigterm_closes_the_metrics_listener_and_removes_its_directory(launch_with_metrics: LaunchWithMetrics) -> None:
    metrics = launch_with_metrics()
    folder = metrics.server.metrics_directory()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert metrics.server.stop() == 0
    assert not folder.exists()
    with pytest.raises(httpx.ConnectError):
        metrics.get("/livez")


@pytest.mark.parametrize("taken_by", ["another", "itself"])
def test_metrics_listener_on_a_taken_port_exits_with_2(tmp_path: Path, taken_by: str) -> None:
    server = Server(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1] if taken_by == "another" else server.port
        server.environment["LATCHKEY_METRICS_ADDRESS"] = f"127.0.0.1:{port}"
        done = server.command("serve", "--port", str(server.port))
    assert done.returncode == 2
    assert f"Cannot listen on 127.0.0.1 port {port}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "value", ["9100", ":9100", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "::1:9100", "a/b:1"]
)
def test_invalid_metrics_address_is_reported(tmp_path: Path, value: str) -> None:
    done = Server(tmp_path, LATCHKEY_METRICS_ADDRESS=value).command("check")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert f"LATCHKEY_METRICS_ADDRESS is '{value}'" in done.stderr


def test_metrics_listener_accepts_an_ipv6_address_in_brackets(tmp_path: Path) -> None:
    port = free_port()
    server = Server(tmp_path, workers=1, LATCHKEY_METRICS_ADDRESS=f"[::1]:{port}").start()
    try:
        assert httpx.get(f"http://[::1]:{port}/livez").status_code == 200
    finally:
        server.kill()


def test_metrics_with_a_corrupt_metric_file_return_500_and_probes_still_work(
    launch_with_metrics: LaunchWithMetrics,
) -> None:
    metrics = launch_with_metrics()
    broken = metrics.server.metrics_directory() / f"counter_{os.getpid()}.db"
    broken.write_bytes(b"")
    assert_problem(metrics.get(), 500, "server_error")
    assert "request_failed" in metrics.server.log.read_text()
    assert metrics.get("/readyz").status_code == 200
    broken.unlink()
    assert metrics.get().status_code == 200
