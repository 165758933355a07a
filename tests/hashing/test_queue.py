"""The hashing queue and its thread: threads of its own with low priority, and a bounded queue."""

import ctypes
import os
import platform
import struct
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, get_native_id

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.hashing.argon2 import run
from latchkey.hashing.queue import MAX_CONCURRENT, MAX_QUEUED, FairQueue
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


def fill(queue: FairQueue[str], **counts: int) -> None:
    for network, count in counts.items():
        for number in range(count):
            assert queue.put(network, f"{network}{number}") is None


def drain(queue: FairQueue[str]) -> list[str]:
    return [queue.get() for _ in range(queue.qsize())]


def test_fair_queue_serves_networks_in_turns_and_each_in_its_order() -> None:
    queue = FairQueue[str](10)
    fill(queue, a=4, b=1, c=2)
    assert drain(queue) == ["a0", "b0", "c0", "a1", "c1", "a2", "a3"]
    assert (queue.qsize(), queue.lines, len(queue.new), len(queue.turns)) == (0, {}, 0, 0)


def test_network_that_had_nothing_in_the_queue_comes_before_the_next_turn_of_others() -> None:
    queue = FairQueue[str](10)
    fill(queue, a=3, b=2)
    assert [queue.get(), queue.get(), queue.get()] == ["a0", "b0", "a1"]
    fill(queue, c=2, d=1)
    assert drain(queue) == ["c0", "d0", "b1", "a2", "c1"]


def test_network_that_comes_to_a_full_queue_gets_the_last_place_of_the_longest_line() -> None:
    queue = FairQueue[str](4)
    fill(queue, a=4)
    assert queue.put("b", "b0") == "a3"
    assert queue.put("b", "b1") == "a2"
    assert queue.put("b", "b2") == "b2"  # its line is as long now
    assert queue.put("a", "a4") == "a4"
    assert queue.put("c", "c0") in ("a1", "b1")
    assert queue.qsize() == 4


@given(st.lists(st.sampled_from("abcd"), max_size=60), st.integers(1, 8))
def test_fair_queue_never_holds_more_than_its_size_and_loses_nothing(networks: list[str], size: int) -> None:
    queue, rejected = FairQueue[tuple[str, int]](size), []
    for number, network in enumerate(networks):
        if lost := queue.put(network, (network, number)):
            rejected.append(lost)
        assert queue.qsize() == sum(map(len, queue.lines.values())) <= size
    lengths = [len(line) for line in queue.lines.values()]
    served = [queue.get() for _ in range(queue.qsize())]
    assert sorted(served + rejected) == sorted((network, number) for number, network in enumerate(networks))
    if rejected:  # every network that was turned away has a fair share
        shares = [len([1 for network, _ in served if network == name]) for name, _ in rejected]
        assert min(shares) >= max(lengths) - 1


SLOW = 100
"""Connections of one address that sign in without a pause: more than have a place in the queue."""


@pytest.mark.slow
@pytest.mark.parametrize("flood", ["right passwords", "an address that has to wait"])
def test_sign_ins_of_other_addresses_succeed_beside_a_flood_from_one_address(
    tmp_path: Path, database_url: str, flood: str
) -> None:
    server = Server(tmp_path, database_url, workers=1, threads=4, LATCHKEY_TRUSTED_PROXIES="1").start()
    over = Event()
    try:
        limits = httpx.Limits(max_connections=SLOW + 8)
        with httpx.Client(base_url=server.url, timeout=30, limits=limits) as http, ThreadPoolExecutor(SLOW) as pool:

            def sign_in(address: str, email: str, password: str = PASSWORD) -> httpx.Response:
                body = {"email": email, "password": password}
                return http.post("/api/login/", json=body, headers={"X-Forwarded-For": address})

            for name in ("mallory", "honest"):
                Person(http, f"{name}@example.com").register()
            wrong = flood != "right passwords"
            for _ in range(11 if wrong else 0):
                last = sign_in("192.0.2.66", "mallory@example.com", "wrong")
            if wrong:
                assert_problem(last, 429, "too_many_attempts")

            def sign_in_again() -> Counter[int]:
                counts = Counter[int]()
                while not over.is_set():
                    counts.update([sign_in("192.0.2.66", "mallory@example.com").status_code])
                return counts

            flooding = [pool.submit(sign_in_again) for _ in range(SLOW)]
            answers = [sign_in(f"198.51.100.{number}", "honest@example.com") for number in range(16)]
            over.set()
            statuses = sum((each.result() for each in flooding), Counter[int]())
        assert [answer.status_code for answer in answers] == [200] * 16
        assert statuses[429 if wrong else 200] > 16, statuses
        assert not wrong or set(statuses) == {429}, statuses  # they take no place in the queue
    finally:
        server.kill()
