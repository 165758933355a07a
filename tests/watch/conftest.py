"""What the tests of the metrics share: a server with an address of its own for them. On SQLite, no database hangs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.postgres import free_port
from tests.server import Server
from tests.watch.scrape import MetricsEndpoint

collect_ignore_glob = [] if settings.DATABASE_URL else ["test_postgresql_*"]

LaunchWithMetrics = Callable[..., MetricsEndpoint]


@pytest.fixture
def launch_with_metrics(tmp_path: Path, database_url: str) -> Iterator[LaunchWithMetrics]:
    """Start the one server of this test, and return its metrics: launch(workers=3)."""
    started: list[Server] = []

    def start(workers: int = 2, threads: int = 4, **environment: str) -> MetricsEndpoint:
        own = f"127.0.0.1:{free_port()}"
        server = Server(tmp_path, database_url, workers, threads, LATCHKEY_METRICS_ADDRESS=own, **environment)
        started.append(server)
        return MetricsEndpoint(server.start(), f"http://{own}")

    yield start
    for server in started:
        if server.process:
            server.kill()
