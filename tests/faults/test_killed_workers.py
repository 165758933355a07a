"""A worker that dies, by a crash or by the kernel's out-of-memory killer, signs nobody out."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.server import Server
from tests.support.refreshing_clients import Load

pytestmark = pytest.mark.fault
RESPAWN_SECONDS = 6.0
"""Seconds between kills: granian gives up if its newest worker dies within 5.5 seconds of its start."""


def workers(server: Server, count: int = 2, within: float = 5) -> list[int]:
    """Wait for all workers; return their process ids, the oldest first."""
    deadline = time.monotonic() + within
    while len(pids := server.worker_pids()) < count:
        assert time.monotonic() < deadline, f"{len(pids)} workers {within} s after one died"
        time.sleep(0.02)
    return pids


@pytest.mark.ledger("H-INF-11", "ASVS-2.3.3")
def test_the_oldest_worker_killed_every_300_ms_signs_nobody_out(
    server: Server, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    kills, until = 0, time.monotonic() + 10
    with start_load(server.url) as load:
        load.wait_for_refreshes(100)
        while time.monotonic() < until:
            os.kill(workers(server)[0], signal.SIGKILL)
            kills += 1
            time.sleep(0.3)
        load.wait_for_refreshes(100)
    assert_outcome(load, server, f"{kills} kills of a worker")


def test_all_workers_killed_at_once_sign_nobody_out(
    server: Server, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    outages = []
    with start_load(server.url) as load:
        for _ in range(2):
            load.wait_for_refreshes(100)
            for pid in workers(server):
                os.kill(pid, signal.SIGKILL)
            outages.append(load.wait_for_refreshes(16))
            time.sleep(RESPAWN_SECONDS)
    assert_outcome(load, server, f"2 kills of all workers, back within {max(outages):.1f} s")
