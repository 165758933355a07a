"""The load generator: a few open connections, one request at a time on each, in one thread."""

import select
import time
from collections import Counter, deque
from dataclasses import dataclass, field

from bench.adapter import Person
from bench.endpoints import Endpoint
from bench.http_client import HttpConnection
from bench.server import BenchmarkError

CONNECTIONS = 8
MAX_ERRORS = 50  # with more errors the measurement says nothing about the system


@dataclass
class LoadResult:
    """Results of a load. Latencies are in seconds, from the first byte of a request to the last of its response."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def requests(self) -> int:
        return len(self.latencies)

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    def raise_for_errors(self, what: str) -> None:
        """Raise BenchmarkError if a response was wrong."""
        if self.errors:
            raise BenchmarkError(f"{what}: {self.errors.most_common(1)[0][0]}")

    def percentile(self, share: float) -> float:
        """Return the latency at this percentile (0.5 is the median), in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3


def run(
    port: int,
    endpoint: Endpoint,
    people: list[Person],
    requests: int,
    seconds: float,
    *,
    connections: int = CONNECTIONS,
) -> LoadResult:
    """Send this many requests, or fewer if the time is over first; a connection has one request at a time.

    Users take turns, and no user is on two connections at once, so that each new token is used in the next request.
    """
    load, poll, idle = LoadResult(), select.epoll(), deque(people)
    wires, busy = {}, {}
    for _ in range(min(connections, len(people), requests)):
        wire = HttpConnection(port)
        wires[wire.socket.fileno()] = wire
        poll.register(wire.socket.fileno(), select.EPOLLIN)
    began = time.perf_counter()
    end, left = began + seconds, requests

    def send(number: int) -> None:
        nonlocal left
        person = idle.popleft()
        ask = endpoint.build_request(person)
        busy[number] = person, time.perf_counter()
        wires[number].send(ask)
        left -= 1

    try:
        for number in wires:
            send(number)
        while busy:
            ready = poll.poll(30)
            if not ready:
                raise ConnectionError("no answer within 30 s")
            for number, _ in ready:
                answer = wires[number].receive()
                if answer is None:
                    continue
                now = time.perf_counter()
                person, asked = busy.pop(number)
                load.latencies.append(now - asked)
                if wrong := endpoint.check_response(person, answer):
                    load.errors[wrong] += 1
                idle.append(person)
                if left > 0 and now < end and load.errors.total() < MAX_ERRORS:
                    send(number)
    finally:
        load.seconds = time.perf_counter() - began
        poll.close()
        for wire in wires.values():
            wire.close()
    return load
