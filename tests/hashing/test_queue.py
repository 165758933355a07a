"""The hashing queue and its thread: threads of its own with low priority, and a bounded queue."""

import ctypes
import os
import platform
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import get_native_id

import httpx
import pytest

from latchkey.hashing.argon2 import run
from latchkey.hashing.queue import MAX_CONCURRENT, MAX_QUEUED
from latchkey.hashing.thread_priority import NICENESS, TIME_SLICE_NS
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.server import Server

pytestmark = pytest.mark.hashing

FORK = """
import os
from latchkey.hashing.argon2 import run
print(run(lambda: "before"), flush=True)
if os.fork() == 0:
    print(run(lambda: "in the child"), flush=True)
    os._exit(0)
os.wait()
"""
CONCURRENCY = 3 * (MAX_CONCURRENT + MAX_QUEUED)


def test_hashing_threads_run_at_low_priority_and_other_threads_do_not() -> None:
    before = os.getpriority(os.PRIO_PROCESS, get_native_id())
    assert run(lambda: os.getpriority(os.PRIO_PROCESS, get_native_id())) == min(19, before + NICENESS)
    assert os.getpriority(os.PRIO_PROCESS, get_native_id()) == before


def test_hashing_threads_have_a_long_time_slice() -> None:
    """Read from Linux by sched_getattr(2); versions before 6.12 have no configurable time slice."""
    number = {"x86_64": 315, "aarch64": 275}[platform.machine()]

    def slice_of_thread() -> int:
        attributes = ctypes.create_string_buffer(48)
        assert ctypes.CDLL(None).syscall(number, 0, attributes, 48, 0) == 0
        return int(struct.unpack("=IIQiIQQQ", attributes.raw)[5])

    release = tuple(int(part) for part in platform.release().split(".")[:2])
    assert run(slice_of_thread) == (TIME_SLICE_NS if release >= (6, 12) else 0)
    assert slice_of_thread() != TIME_SLICE_NS


def test_hashing_works_in_a_forked_process() -> None:
    done = subprocess.run([sys.executable, "-c", FORK], timeout=20, capture_output=True, text=True, check=True)
    assert done.stdout == "before\nin the child\n"


@pytest.mark.slow
@pytest.mark.ledger("ASVS-15.2.2", "ASVS-2.4.1")
def test_register_with_a_full_hashing_queue_returns_503(tmp_path: Path, database_url: str) -> None:
    server = Server(tmp_path, database_url, workers=1, threads=2).start()
    try:
        with httpx.Client(base_url=server.url, timeout=30, limits=httpx.Limits(max_connections=CONCURRENCY)) as http:

            def register(number: int) -> httpx.Response:
                body = {"email": f"user{number}@example.com", "password": PASSWORD}
                return http.post("/api/register/", json=body)

            with ThreadPoolExecutor(CONCURRENCY) as pool:
                answers = list(pool.map(register, range(CONCURRENCY)))
        rejected = [answer for answer in answers if answer.status_code != 201]
        assert len(answers) - len(rejected) >= MAX_QUEUED
        for answer in rejected:
            assert_problem(answer, 503, "unavailable")
        assert httpx.get(f"{server.url}/readyz").status_code == 200
    finally:
        server.kill()
    assert server.log.read_text().count("hashing.overloaded") == len(rejected) > 0


@pytest.mark.slow
@pytest.mark.ledger("ASVS-15.2.2")
def test_delete_account_with_a_full_hashing_queue_returns_503(tmp_path: Path, database_url: str) -> None:
    server = Server(tmp_path, database_url, workers=1, threads=2).start()
    try:
        server.command("constance", "set", "FAILURES_PER_ACCOUNT", "100")
        server.kill()
        server.restart()  # for the setting to be in force at once
        with httpx.Client(base_url=server.url, timeout=30, limits=httpx.Limits(max_connections=CONCURRENCY)) as http:
            alice = Person(http, "alice@example.com").register().login()

            def delete_account(number: int) -> httpx.Response:
                body = {"password": f"not that one, {number}"}
                return http.request("DELETE", "/api/me", json=body, headers=alice.bearer())

            with ThreadPoolExecutor(CONCURRENCY) as pool:
                answers = list(pool.map(delete_account, range(CONCURRENCY)))
            assert {answer.status_code for answer in answers} <= {400, 401, 429, 503}
            rejected = [answer for answer in answers if answer.status_code == 503]
            for answer in rejected:
                assert_problem(answer, 503, "unavailable")
            assert alice.login().me().status_code == 200
    finally:
        server.kill()
    assert server.log.read_text().count("hashing.overloaded") == len(rejected) > 0
