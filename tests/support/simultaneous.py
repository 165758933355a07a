"""Simultaneous requests, and the counts of their outcomes."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Barrier, Semaphore
from typing import Any

import httpx
import jwt

from tests.people import Person
from tests.server import Server
from tests.support.admin_process_client import AdminProcess

MAX_RESPONSE_SECONDS = 2.0
"""Maximum seconds of a response."""
TIMEOUT = 10
"""Seconds after which a thread stops waiting for another."""

Action = Callable[[], Any]


@dataclass(frozen=True)
class Outcome:
    """The result of an action, with its start and end (monotonic seconds)."""

    answer: Any
    began: float
    ended: float


def run_timed(act: Action) -> Outcome:
    began = time.monotonic()
    answer = act()
    return Outcome(answer, began, time.monotonic())


class Race:
    """One race: its server, a connection for each runner, and the counts of its rounds."""

    def __init__(self, name: str, server: Server, operator: AdminProcess, clients: Sequence[httpx.Client]) -> None:
        self.name, self.server, self.operator, self.clients = name, server, operator, clients
        self.rounds = self.overlapping = self.forks = self.lost = 0
        self.slowest, self.max_response_seconds = 0.0, MAX_RESPONSE_SECONDS
        self.answers: Counter[str] = Counter()
        self._log_starts = server.log.stat().st_size

    def person(self, name: str) -> Person:
        """Return a person with this name who is not registered yet."""
        return Person(self.clients[0], f"{name}@example.com")

    def copies(self, person: Person, count: int) -> list[Person]:
        """Return the same person on this many connections."""
        return [replace(person, http=client) for client in self.clients[:count]]

    def start(self, *acts: Action, then: Action | None = None, after: int = 0) -> list[Outcome]:
        """Run a round: all acts at once, and one more act as soon as `after` of them have returned.

        The acts wait at a barrier, each in a thread with an open connection, so nothing but sending is left
        to do. That they overlap is measured: a round counts as `together` when the last act had begun before
        the first one had ended. Turning `after` from 0 up lays the one more act into every gap of the round
        without any sleeping.
        """
        gate, returned = Barrier(len(acts) + bool(then)), Semaphore(0)

        def run(act: Action) -> Outcome:
            gate.wait(TIMEOUT)
            try:
                return run_timed(act)
            finally:
                returned.release()

        def run_after(act: Action) -> Outcome:
            gate.wait(TIMEOUT)
            for _ in range(after):
                assert returned.acquire(timeout=TIMEOUT), "nobody returns"
            return run_timed(act)

        with ThreadPoolExecutor(len(acts) + bool(then)) as pool:
            last = pool.submit(run_after, then) if then else None
            running = [pool.submit(run, act) for act in acts]
            outcomes = [future.result() for future in running]
            self.overlapping += max(each.began for each in outcomes) < min(each.ended for each in outcomes)
            if last:
                outcomes.append(last.result())
        self.rounds += 1
        for outcome in outcomes:
            self._count(outcome)
        return outcomes

    def _count(self, outcome: Outcome) -> None:
        if isinstance(outcome.answer, httpx.Response):
            parts = outcome.answer.request.url.path.removeprefix("/api/").split("/")
            endpoint = "/".join(part for part in parts if part and not part.isdecimal())
            self.answers[f"{endpoint} {outcome.answer.status_code}"] += 1
            self.slowest = max(self.slowest, outcome.ended - outcome.began)

    def __str__(self) -> str:
        answers = "  ".join(f"{answer}: {count}" for answer, count in sorted(self.answers.items()))
        return (
            f"\n{self.name}\n  rounds {self.rounds} (together {self.overlapping})  forks {self.forks}"
            f"  lost sessions {self.lost}  slowest {self.slowest * 1000:.0f} ms\n  {answers}"
        )

    def assert_invariants(self) -> None:
        """Assert the invariants of every race: no 5xx, no traceback, no fork, no lost session, no slow response."""
        with self.server.log.open("rb") as log:
            log.seek(self._log_starts)
            log_text = log.read().decode()
        assert "Traceback" not in log_text, log_text[log_text.index("Traceback") - 500 :][:5000]
        assert "database.unavailable" not in log_text, log_text[log_text.index("database.unavailable") - 500 :][:2000]
        assert not [answer for answer in self.answers if answer.split()[-1][0] == "5"], self.answers
        assert self.forks == 0
        assert self.lost == 0
        assert self.slowest < self.max_response_seconds


def login_action(person: Person) -> Action:
    """Return an action that logs this person in and returns the unchecked response."""
    return lambda: person.http.post("/api/login/", json={"email": person.email, "password": person.password})


def decode_claims(access_token: str) -> dict[str, Any]:
    """Return the claims of an access token without verification."""
    claims: dict[str, Any] = jwt.decode(access_token, options={"verify_signature": False})
    return claims


def session_id_from(access_token: str) -> str:
    return str(decode_claims(access_token)["sid"])


def with_tokens(person: Person, answer: httpx.Response) -> Person:
    """Return the person with the tokens of this response."""
    return replace(person, **answer.json(), spent=[])
