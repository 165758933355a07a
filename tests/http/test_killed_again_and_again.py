"""A worker that is killed again and again, as the kernel does when memory is short: the service goes on."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from latchkey.server.supervisor import RETRY_SECONDS, STABLE_SECONDS
from tests.server import Server

KILLS = 3


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    server = Server(tmp_path, database_url, workers=2, threads=2).start()
    yield server
    server.kill()


def wait_for(condition: Callable[[], bool], within: float) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def wait_for_end(server: Server, pid: int) -> None:
    wait_for(lambda: pid not in server.worker_pids(), 5)


def test_worker_killed_again_and_again_is_started_again_while_the_others_answer(server: Server) -> None:
    time.sleep(STABLE_SECONDS + 1)  # until the first workers are stable
    stays, victim = sorted(server.worker_pids())
    for _ in range(KILLS):
        os.kill(victim, signal.SIGKILL)
        wait_for_end(server, victim)
        began = time.monotonic()
        wait_for(lambda: len(server.worker_pids()) == 2, RETRY_SECONDS + 3)
        (victim,) = set(server.worker_pids()) - {stays}
        assert httpx.get(f"{server.url}/livez", timeout=10).status_code == 200
        assert server.process
        assert server.process.poll() is None
    assert time.monotonic() - began > RETRY_SECONDS - 1  # it came back later, and not at once
    assert stays in server.worker_pids()
    assert server.stop() == 0


def test_service_whose_workers_all_end_again_and_again_ends_with_exit_code_1(server: Server) -> None:
    deadline = time.monotonic() + 30
    while server.process and server.process.poll() is None:
        assert time.monotonic() < deadline
        for pid in server.worker_pids():
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
    assert server.process
    assert server.process.returncode == 1
    assert "Worker crash loop detected" in server.log.read_text()


def test_stop_while_a_worker_waits_to_be_started_again_is_prompt(server: Server) -> None:
    time.sleep(STABLE_SECONDS + 1)
    stays, victim = sorted(server.worker_pids())
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: len(set(server.worker_pids()) - {victim}) == 2, 5)
    (victim,) = set(server.worker_pids()) - {stays, victim}
    os.kill(victim, signal.SIGKILL)
    wait_for_end(server, victim)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < RETRY_SECONDS - 1
