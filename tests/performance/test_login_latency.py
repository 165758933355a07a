"""Login latency with the password hashing cost of production: the 95th percentile of parallel logins."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.people import Person
from tests.server import Server

AT_ONCE, SIGN_INS, ROUNDS = 4, 40, 3


@pytest.mark.race
@pytest.mark.ledger("CS-PW-2")
def test_95_percent_of_logins_take_under_a_second_with_four_in_parallel(server: Server) -> None:
    with httpx.Client(base_url=server.url, timeout=30) as http:
        alice = Person(http, "alice@example.com").register()

        def sign_in(_: int) -> float:
            began = time.perf_counter()
            assert http.post("/api/login/", json={"email": alice.email, "password": alice.password}).status_code == 200
            return time.perf_counter() - began

        taken = []
        for _ in range(ROUNDS):  # the best round counts, as the machine is shared
            with ThreadPoolExecutor(AT_ONCE) as crowd:
                taken.append(sorted(crowd.map(sign_in, range(SIGN_INS)))[SIGN_INS * 95 // 100])
    assert min(taken) < 1
