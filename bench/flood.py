"""Latency of refresh, me and other people's sign-ins during a flood of parallel sign-ins from one address.

    .venv/bin/python -m bench.flood sqlite|postgresql [--sign-ins 64] [--seconds 15] [--workers 2] [--honest 0]

Starts a server with default settings on an empty database, and measures refresh and me over one open connection: first
alone, then while the other connections sign in without a pause. With --honest, it measures the sign-ins of as many
people instead, each from an address of its own, one sign-in a second each. Prints medians, p99s and their ratios, the
responses to the flood, and the peak memory of the workers. Exit code 1: a p99 grew more than five times (sign-ins:
three), or a measured request failed. 2: not all sign-ins of the flood were answered 200, so it was not complete; with
--honest that is no failure, as the flood may not get more than its share.
"""

import argparse
import http.client
import json
import multiprocessing
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tests.people import PASSWORD
from tests.postgres import Postgres
from tests.server import Server

MAX_SLOWDOWN, MAX_SIGN_IN_SLOWDOWN = 5, 3
"""Factors by which the p99 of refresh and me, and that of the sign-ins of others, may grow during the flood."""

FLOODING_ADDRESS = "192.0.2.66"
"""Address of all connections of the flood, as the reverse proxy of the server tells it."""


class Client:
    """An HTTP client with one open connection and the tokens of its user."""

    def __init__(self, port: int, email: str, address: str = FLOODING_ADDRESS) -> None:
        self.address = address
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.credentials = {"email": email, "password": PASSWORD}
        self.pair: dict[str, str] = {}

    def call(self, method: str, path: str, body: dict[str, str] | None = None) -> int:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.pair.get('access_token')}"}
        headers["X-Forwarded-For"] = self.address
        self.connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = self.connection.getresponse()
        read: Any = json.loads(answer.read())
        if answer.status == 200 and "refresh_token" in read:
            self.pair = read
        return answer.status

    def login(self) -> int:
        return self.call("POST", "/api/login/", self.credentials)

    def refresh(self) -> int:
        return self.call("POST", "/api/refresh/", {"refresh_token": self.pair["refresh_token"]})

    def me(self) -> int:
        return self.call("GET", "/api/me/")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=["sqlite", "postgresql"])
    parser.add_argument(
        "--sign-ins", type=int, default=64, help="parallel connections that sign in (default: %(default)s)"
    )
    parser.add_argument(
        "--seconds", type=int, default=15, help="seconds of each of the two measurements (default: %(default)s)"
    )
    parser.add_argument("--workers", type=int, default=2, help="workers of the server (default: %(default)s)")
    parser.add_argument(
        "--honest", type=int, default=0, help="people who sign in from other addresses (default: %(default)s)"
    )
    options = parser.parse_args()
    with ExitStack() as stack:
        server = serve(stack, options.database, options.workers)
        server.raise_address_limits()
        honest = register(server.port, options.honest or 1)
        probe = partial(measure_sign_ins, honest) if options.honest else partial(measure, honest[0])
        probe(2, "warming up")
        alone, refused = probe(options.seconds, "alone")
        over = multiprocessing.Event()
        results: Any = multiprocessing.Queue()
        flood = multiprocessing.Process(target=login_repeatedly, args=(server.port, options.sign_ins, over, results))
        flood.start()
        if (message := results.get(timeout=60)) != "begun":
            sys.exit(message)
        beside, refused_beside = probe(options.seconds, f"during {options.sign_ins} sign-ins")
        over.set()
        answers = results.get(timeout=60)
        flood.join()
        memory = [peak_memory(pid) for pid in server.worker_pids()]
    worst = 0.0
    for endpoint, times in alone.items():
        (m0, p0), (m1, p1) = percentiles(times), percentiles(beside[endpoint])
        worst = max(worst, p1 / p0)
        print(f"{endpoint}: alone median {m0:.1f} ms, p99 {p0:.1f} ms")
        print(f"{endpoint}: during the flood median {m1:.1f} ms, p99 {p1:.1f} ms, which is {p1 / p0:.1f} times")
    rate = sum(answers.values()) / options.seconds
    print(f"sign-ins: {rate:.0f} per second, {dict(answers)}; peak memory of the workers {memory} MB")
    print(f"failed requests beside the flood: {dict(refused + refused_beside) or 'none'}")
    if options.honest:
        return int(worst > MAX_SIGN_IN_SLOWDOWN or bool(refused + refused_beside))
    if set(answers) != {200}:
        print("The flood was not complete: not all sign-ins were answered 200.")
        return 2
    return int(worst > MAX_SLOWDOWN or bool(refused + refused_beside))


def serve(stack: ExitStack, database: str, workers: int) -> Server:
    folder = Path(tempfile.mkdtemp(prefix="latchkey-flood-"))
    folder.chmod(0o755)
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    url = ""
    if database == "postgresql":
        postgres = Postgres(folder / "postgresql").create().start()
        stack.callback(postgres.stop, "immediate")
        url = postgres.url
    server = Server(folder / "served", url, workers=workers, threads=10, LATCHKEY_TRUSTED_PROXIES="1").start()
    stack.callback(server.kill)
    return server


def register(port: int, count: int) -> list[Client]:
    """Return people who are signed in, each with an address of its own."""
    people = [Client(port, f"honest{number}@example.com", f"198.51.100.{number}") for number in range(count)]
    for person in people:
        assert person.call("POST", "/api/register/", person.credentials) == 201
        assert person.login() == 200
    return people


def measure_sign_ins(people: list[Client], seconds: float, says: str) -> tuple[dict[str, list[float]], Counter[int]]:
    """Have each person sign in once a second; return what `measure` does."""
    taken: list[float] = []
    refused = Counter[int]()
    end = time.monotonic() + seconds

    def sign_in_every_second(person: Client, start: float) -> None:
        person.connection.close()  # as in measure
        time.sleep(start)
        while time.monotonic() < end:
            began = time.perf_counter()
            status = person.login()
            taken.append((time.perf_counter() - began) * 1e3)
            refused.update([status] if status != 200 else [])
            bar.update()
            time.sleep(max(0.0, 1 - (time.perf_counter() - began)))

    with tqdm(desc=says, unit=" sign-ins", mininterval=1) as bar:
        threads = [
            threading.Thread(target=sign_in_every_second, args=(person, number / len(people)))
            for number, person in enumerate(people)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return {"sign-in": taken}, refused


def measure(caller: Client, seconds: float, says: str) -> tuple[dict[str, list[float]], Counter[int]]:
    """Send refresh and me in turns; return the latencies in milliseconds, and the counts of other statuses than 200."""
    times: dict[str, list[float]] = {"refresh": [], "me": []}
    refused = Counter[int]()
    caller.connection.close()  # the server may have closed it, as it was idle; the next request opens it again
    end = time.monotonic() + seconds
    with tqdm(desc=says, unit=" requests", mininterval=1) as bar:
        while time.monotonic() < end:
            for endpoint, taken in times.items():
                began = time.perf_counter()
                status = getattr(caller, endpoint)()
                taken.append((time.perf_counter() - began) * 1e3)
                refused.update([status] if status != 200 else [])
                bar.update()
    return times, refused


def login_repeatedly(port: int, count: int, over: Any, results: Any) -> None:
    """Sign in without a pause on this many connections, each with its own account; a failed sign-in is repeated."""
    callers = [Client(port, f"flood{number}@example.com") for number in range(count)]
    for caller in callers:
        if (status := caller.call("POST", "/api/register/", caller.credentials)) != 201:
            results.put(f"A user of the flood cannot register: {status}.")
            return
    answers = Counter[int | str]()

    def again(caller: Client) -> None:
        try:
            while not over.is_set():
                answers.update([caller.login()])
        except (OSError, http.client.HTTPException) as error:  # this connection stops
            answers.update([type(error).__name__])

    threads = [threading.Thread(target=again, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    results.put("begun")
    for thread in threads:
        thread.join()
    results.put(answers)


def percentiles(taken: list[float]) -> tuple[float, float]:
    ordered = sorted(taken)
    return ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]


def peak_memory(pid: int) -> int:
    """Return the peak memory of a process in MB (VmHWM)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    sys.exit(main())
