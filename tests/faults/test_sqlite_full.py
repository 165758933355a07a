"""A full disk gives 503, leaves no partial rotation, and recovers as soon as there is space."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.faults.full_disks import available_faults, mount_small_disk, no_growth, no_space
from tests.server import Server
from tests.support.availability import assert_alive, assert_unavailable, send_refresh
from tests.support.refreshing_clients import Load

pytestmark = pytest.mark.fault
FULL = {"no_growth": no_growth, "no_space": no_space}


@pytest.fixture(params=available_faults())
def fault(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server_on_disk(fault: str, tmp_path: Path) -> Iterator[Server]:
    with mount_small_disk(tmp_path / "var") if fault == "no_space" else nullcontext():
        running = Server(tmp_path)
        yield running.start()
        running.kill()


def test_sqlite_on_a_full_disk_returns_503_and_signs_nobody_out(
    fault: str, server_on_disk: Server, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    load = start_load(server_on_disk.url)
    workers = server_on_disk.worker_pids()
    for _ in range(2):
        with load:
            load.wait_for_refreshes(200)
            with FULL[fault](server_on_disk):
                load.wait_for_responses("503", 32)
                assert_alive(server_on_disk)
                assert_unavailable(send_refresh(load.clients[0]))
            recovery = load.wait_for_refreshes(200)
    assert server_on_disk.worker_pids() == workers
    assert_outcome(load, server_on_disk, f"2 times {fault}, recovery {recovery:.1f} s")
