"""Clients that behave as the documentation asks: they refresh continuously and check every response.

A client keeps its newest refresh token. Without a response, or after a 503, it soon sends the same token again,
until it gets 200 or 401. A 401 is a lost session: a legitimate user was signed out. Every second client of a load
sends an Idempotency-Key, new for each token, and repeats it in a retry.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Self

import httpx
import jwt

from tests.people import Person

MAX_RESPONSE_SECONDS = 10.0
"""Seconds; a request that takes longer is a failure, whatever its response, unless a load says otherwise."""
RETRY_DELAY, REFRESH_INTERVAL, IDLE_INTERVAL = 0.2, 0.01, 20.0


def direct_client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=MAX_RESPONSE_SECONDS + 5, verify=False)


class Client:
    """One signed-in device. A test may set other seconds for it: `interval`, the pause after a 200, and the limit."""

    def __init__(
        self,
        http: httpx.Client,
        person: Person,
        has_key: bool = False,
        interval: float = REFRESH_INTERVAL,
        max_response_seconds: float = MAX_RESPONSE_SECONDS,
    ) -> None:
        self.http, self.has_key, self.interval = http, has_key, interval
        self.max_response_seconds = max_response_seconds
        self.name, self.token, self.subject = person.email, person.refresh_token, str(person.id)
        self.received_tokens = [self.token]
        self.successors: dict[str, str] = {}
        self.statuses: Counter[str] = Counter()
        self.slowest, self.first_sent_at, self.seconds_in_doubt = 0.0, 0.0, 0.0
        self.answered_at = list[float]()  # the times of all 200, by time.monotonic()
        self.lost, self.failures = "", list[str]()

    def step(self) -> float:
        """Send the newest token once; return the pause before the next request in seconds."""
        began = time.monotonic()
        self.first_sent_at = self.first_sent_at or began
        try:
            answer = self.send()
        except httpx.TransportError as error:
            answer, why = None, type(error).__name__
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        if took > self.max_response_seconds:
            self.failures.append(f"{took:.1f} s for {answer or why}")
        self.statuses[str(answer.status_code) if answer is not None else "none"] += 1
        return RETRY_DELAY if answer is None else self._handle_response(answer)

    def send(self) -> httpx.Response:
        """Send the newest token, with the key of its refresh if this client has keys; raises TransportError."""
        key = {"Idempotency-Key": f"refresh {len(self.received_tokens)} of {self.name}"} if self.has_key else {}
        return self.http.post("/api/refresh/", json={"refresh_token": self.token}, headers=key)

    def _handle_response(self, answer: httpx.Response) -> float:
        if answer.status_code == 200 and list(answer.json()) == ["access_token", "refresh_token"]:
            self._check_subject(answer.json()["access_token"])
            self._store_token(answer.json()["refresh_token"])
            self.answered_at.append(time.monotonic())
            return self.interval
        if answer.status_code == 503 and answer.json()["code"] == "unavailable":
            return float(int(answer.headers["Retry-After"]))
        if answer.status_code == 401 and answer.json()["code"] == "invalid_refresh_token":
            self.seconds_in_doubt = time.monotonic() - self.first_sent_at
            self.lost = f"{self.name} signed out {self.seconds_in_doubt:.1f} s after it first sent its token"
        else:
            self.failures.append(f"{answer.status_code} {answer.text[:200]}")
        return REFRESH_INTERVAL

    def _check_subject(self, access_token: str) -> None:
        """Check that the access token is of this user: the answers of two clients must not be exchanged."""
        subject = jwt.decode(access_token, options={"verify_signature": False})["sub"]
        if subject != self.subject:
            self.failures.append(f"{self.name} was given an access token of another user")

    def _store_token(self, secret: str) -> None:
        """Store the new token; one token must not have two successors."""
        if self.successors.setdefault(self.token, secret) != secret:
            self.failures.append(f"{self.name} was given two successors of one token")
        self.token, self.first_sent_at = secret, 0.0
        self.received_tokens.append(secret)

    def finish(self, within: float = 20) -> bool:
        """Tell whether this client is still signed in: its newest token can be refreshed."""
        deadline, known = time.monotonic() + within, len(self.received_tokens)
        while not self.lost and time.monotonic() < deadline:
            pause = self.step()
            if len(self.received_tokens) > known:
                break
            time.sleep(pause)
        return len(self.received_tokens) > known


class Load:
    """Many concurrent clients, each with a thread and a session; `idle` more refresh every IDLE_INTERVAL seconds only.

    As a context manager, it sends requests within the block.
    """

    def __init__(
        self,
        url: str,
        clients: int = 16,
        connect: Callable[[str], httpx.Client] = direct_client,
        idle: int = 0,
        max_response_seconds: float = MAX_RESPONSE_SECONDS,
    ) -> None:
        with connect(url) as http:
            people = [Person(http, f"alice{n}@example.com").register().login() for n in range(clients + idle)]
        intervals = [REFRESH_INTERVAL] * clients + [IDLE_INTERVAL] * idle
        self.clients = [
            Client(connect(url), person, bool(n % 2), interval, max_response_seconds)
            for n, (person, interval) in enumerate(zip(people, intervals, strict=True))
        ]
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._stopping.clear()
        self._threads = [threading.Thread(target=self._run, args=(client,), daemon=True) for client in self.clients]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(self.clients[0].max_response_seconds + 10)

    def close(self) -> None:
        for client in self.clients:
            client.http.close()

    def _run(self, client: Client) -> None:
        if client.interval == IDLE_INTERVAL:  # not all at once
            self._stopping.wait(random.uniform(0, IDLE_INTERVAL))
        while not client.lost and not self._stopping.is_set():
            self._stopping.wait(client.step())

    def statuses(self) -> Counter[str]:
        return sum((client.statuses.copy() for client in self.clients), Counter[str]())

    def wait_for_responses(self, status: str, count: int, within: float = 30) -> float:
        """Wait until the clients have received this many more responses of this status; return the seconds it took."""
        began, enough = time.monotonic(), self.statuses()[status] + count
        while self.statuses()[status] < enough:
            assert time.monotonic() - began < within, f"no {count} answers of {status} within {within} s: {self}"
            time.sleep(0.02)
        return time.monotonic() - began

    def wait_for_refreshes(self, count: int = 16, within: float = 30) -> float:
        return self.wait_for_responses("200", count, within)

    def __str__(self) -> str:
        statuses = self.statuses()
        slowest = max(client.slowest for client in self.clients)
        counts = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
        return f"{len(self.clients)} clients, {statuses.total()} requests, {counts}, slowest {slowest:.1f} s"
