"""A worker dies while second factors are checked: codes and tickets are used up if and only if their session exists.

People whose answer is lost sign in again. A code that was burned for nothing would be a recovery code less; a session
whose code is still valid would be a second use of it.
"""

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import httpx
import pytest

from tests.faults.test_killed_workers import workers
from tests.people import Person
from tests.second_factors import EnrolledPerson, enrol, try_second_factor
from tests.server import Server

ROOT = Path(__file__).parents[2]
PEOPLE, TICKETS, THREADS = 20, 10, 16
STATE = """
import json
from latchkey.factors.models import RecoveryCode, TotpSecret
from latchkey.factors.tickets import Ticket
print(json.dumps([
    {"codes": RecoveryCode.objects.filter(user=user).count(), "tickets": Ticket.objects.filter(user=user).count(),
     "app_was_used": TotpSecret.objects.get(user=user).last_used_at is not None,
     "proofs": list(Session.objects.filter(user=user).values_list("proof", flat=True))}
    for user in User.objects.filter(email__startswith="person.")]))
"""
TOTP, RECOVERY_CODE = 2, 16
"""Bits of a session's proof."""

Attempt = tuple[str, dict[str, str]]


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    """A running server with a cheap password hasher, so that most of the time goes into the second step."""
    cheap = {"DJANGO_SETTINGS_MODULE": "tests.races.cheap_hasher_settings", "PYTHONPATH": str(ROOT)}
    running = Server(tmp_path, database_url, workers=2, threads=4, **cheap).start()
    running.raise_address_limits()
    yield running
    running.kill()


class Storm:
    """Threads that send second steps, each once, and count the answers; a lost one counts as `lost`."""

    def __init__(self, url: str, attempts: list[Attempt]) -> None:
        self.url, self.answers = url, Counter[str]()
        self.waiting: SimpleQueue[Attempt] = SimpleQueue()
        for attempt in attempts:
            self.waiting.put(attempt)
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(THREADS)]
        for thread in self.threads:
            thread.start()

    def is_over(self) -> bool:
        return not any(thread.is_alive() for thread in self.threads)

    def wait_for_answers(self, count: int) -> None:
        while self.answers.total() < count and not self.is_over():
            time.sleep(0.002)

    def run(self) -> None:
        while True:
            try:
                ticket, answer = self.waiting.get_nowait()
            except Empty:
                return
            self.answers[self.send(ticket, answer)] += 1

    def send(self, ticket: str, answer: dict[str, str]) -> str:
        deadline = time.monotonic() + 30
        while True:
            with httpx.Client(base_url=self.url, timeout=20, verify=False) as http:
                try:
                    return str(try_second_factor(http, ticket, **answer).status_code)
                except httpx.ConnectError:  # no worker is there: nothing was sent
                    assert time.monotonic() < deadline, "no worker for 30 s"
                    time.sleep(0.05)
                except httpx.TransportError:
                    return "lost"


def attempts_of(people: list[EnrolledPerson]) -> list[Attempt]:
    """Return nine recovery codes and one code of the app of each person, with a ticket each, people in turn."""
    own: list[list[Attempt]] = []
    for person in people:
        answers: list[dict[str, str]] = [{"recovery_code": code} for code in person.recovery_codes[1:TICKETS]]
        own.append([(person.ticket(), answer) for answer in [{"code": person.app.code()}, *answers]])
    return [attempt for turn in zip(*own, strict=True) for attempt in turn]


@pytest.mark.parametrize("kills", [3, pytest.param(15, marks=pytest.mark.fault)])
@pytest.mark.slow
def test_gladys_199_killed_worker_uses_up_a_code_if_and_only_if_its_session_exists(server: Server, kills: int) -> None:
    with httpx.Client(base_url=server.url, timeout=20) as http:
        people = [enrol(Person(http, f"person.{n}@example.com").register().login()) for n in range(PEOPLE)]
        storm = Storm(server.url, attempts_of(people))
    for kill in range(kills):
        storm.wait_for_answers((kill + 1) * PEOPLE * TICKETS // (kills + 2))
        os.kill(workers(server, within=20)[0], signal.SIGKILL)
    for thread in storm.threads:
        thread.join(60)
    assert storm.is_over()
    assert storm.answers["200"] > 0, storm.answers
    assert storm.answers["lost"] > 0, "no worker died within a request"
    states: list[dict[str, Any]] = json.loads(server.shell(STATE))
    assert len(states) == PEOPLE
    opened = 0
    for state in states:
        by_code = sum(bool(proof & RECOVERY_CODE) for proof in state["proofs"])
        by_app = sum(bool(proof & TOTP) for proof in state["proofs"]) - 1  # that of the enrolment
        assert state["codes"] == 10 - by_code, state
        assert state["app_was_used"] == bool(by_app), state
        assert state["tickets"] == TICKETS - by_code - by_app, state
        opened += by_code + by_app
    assert storm.answers["200"] <= opened <= storm.answers["200"] + storm.answers["lost"], storm.answers
