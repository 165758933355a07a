"""A full disk that has the temporary files, too: metrics are given up, and no worker is."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.full_disks import available_faults, full, mount_small_disk
from tests.people import Person
from tests.server import Server

pytestmark = pytest.mark.fault
MOUNTABLE = [fault for fault in available_faults() if fault == "no_space"]


@pytest.fixture(params=MOUNTABLE)
def disk(tmp_path: Path) -> Iterator[Path]:
    with mount_small_disk(tmp_path / "disk"):
        yield tmp_path / "disk"


@pytest.fixture
def server(disk: Path, tmp_path: Path, database_url: str) -> Iterator[Server]:
    server = Server(tmp_path, database_url, TMPDIR=str(disk), LATCHKEY_DATA_DIR=str(disk / "var"))
    yield server.start()
    server.kill()


def ask_everything(server: Server, alice: Person) -> set[int]:
    """Send requests of many kinds, each of which has 17 metric values of its own; return the statuses."""
    statuses = set()
    paths = ["login", "refresh", "logout", "me", "sessions", "me/events", "password/change", "register", "revoke"]
    with httpx.Client(base_url=server.url, timeout=20) as http:
        for path in paths:
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
                for headers in ({}, alice.bearer()):
                    if (method, path) != ("DELETE", "sessions") and path != "logout":
                        answer = http.request(method, f"/api/{path}/", headers=headers)
                        statuses.add(answer.status_code)
    return statuses


def test_full_disk_of_the_temporary_files_ends_no_worker_and_answers_everything(server: Server, disk: Path) -> None:
    workers = server.worker_pids()
    with httpx.Client(base_url=server.url, timeout=20) as http:
        alice = Person(http, "alice@example.com").register().login()
        with full(disk):
            statuses = ask_everything(server, alice)
            assert statuses <= {200, 204, 400, 401, 405, 415, 503}
            assert alice.me().status_code == 200
            assert httpx.get(f"{server.url}/readyz").status_code == 200
            assert server.worker_pids() == workers
            os.kill(workers[0], signal.SIGKILL)  # a new worker has to start on a full disk
            deadline = time.monotonic() + 15
            while len(set(server.worker_pids()) - set(workers)) < 1:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            started = server.worker_pids()
            for _ in range(3):
                assert ask_everything(server, alice) <= {200, 204, 400, 401, 405, 415, 503}
            assert server.worker_pids() == started
        alice.login().refresh().logout()
    assert "metrics.disk_full" in server.log.read_text()
