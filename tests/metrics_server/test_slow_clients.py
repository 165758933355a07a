"""Slow clients of the metrics address: each connection has a deadline, and there is a limit on connections."""

import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from latchkey.metrics_server.listener import CONNECTION_SECONDS, MAX_CONNECTIONS, listen, serve_in_thread
from tests.fixtures.metrics import LaunchWithMetrics
from tests.postgres import free_port
from tests.support.http_connection import Connection, request

TOO_MANY = 3 * MAX_CONNECTIONS
DRIP_INTERVAL = 0.5
LATE = 2.0
"""Seconds that a connection may end after its deadline, which is checked twice a second."""


def end_time(connection: Connection, drip: bytes) -> float:
    """Send a byte from time to time, and return after how many seconds the other side closed the connection."""
    began = time.monotonic()
    connection.socket.settimeout(DRIP_INTERVAL)
    while time.monotonic() - began < 3 * CONNECTION_SECONDS:
        try:
            connection.send(drip)
            if not connection.socket.recv(4096):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - began


@pytest.mark.ledger("ASVS-15.4.4")
@pytest.mark.parametrize("partial", [b"", b"GET /livez HTTP/1.1\r\n", b"GET /livez HTTP/1.1\r\nX: "])
def test_client_of_the_metrics_address_that_drips_its_head_is_disconnected(
    launch_with_metrics: LaunchWithMetrics, partial: bytes
) -> None:
    metrics = launch_with_metrics(workers=1)
    port = int(metrics.url.rpartition(":")[2])
    with Connection(port) as connection:
        assert end_time(connection.send(partial), b"x") < CONNECTION_SECONDS + LATE


@pytest.mark.ledger("ASVS-15.4.4")
def test_too_many_slow_clients_of_the_metrics_address_hold_no_thread_and_delay_nobody(
    launch_with_metrics: LaunchWithMetrics,
) -> None:
    metrics = launch_with_metrics(workers=1)
    port = int(metrics.url.rpartition(":")[2])
    (worker,) = metrics.server.worker_pids()

    def threads() -> int:
        status = Path(f"/proc/{worker}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in status if line.startswith("Threads:"))

    before = threads()
    with ExitStack() as stack:
        slow = [stack.enter_context(Connection(port)).send(b"GET /livez HTT") for _ in range(TOO_MANY)]
        assert [metrics.get(path).status_code for path in ("/livez", "/readyz", "/metrics")] == [200, 200, 200]
        assert threads() - before <= MAX_CONNECTIONS + 2
        assert all(connection.is_closed() for connection in slow[: TOO_MANY - MAX_CONNECTIONS])
        assert all(connection.is_closed(CONNECTION_SECONDS + LATE) for connection in slow)
    metrics.wait_for(lambda: threads() <= before + 1)


@pytest.fixture
def large_answers() -> int:
    """The port of a listener whose answers are larger than all buffers."""
    port = free_port()

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [bytes(50_000_000)]

    serve_in_thread(listen("127.0.0.1", port), application)
    return port


def test_clients_of_the_metrics_address_that_read_no_answer_hold_no_thread_for_ever(large_answers: int) -> None:
    before = threading.active_count()
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(Connection(large_answers)).send(request("GET /"))
        deadline = time.monotonic() + LATE
        while threading.active_count() < before + 4:
            assert time.monotonic() < deadline
        began = time.monotonic()
        while threading.active_count() > before:
            assert time.monotonic() - began < CONNECTION_SECONDS + LATE
            time.sleep(0.05)
