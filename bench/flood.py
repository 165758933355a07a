"""What do 64 parallel sign-ins do to refresh and me?

    .venv/bin/python -m bench.flood sqlite|postgresql [--sign-ins 64] [--seconds 15] [--workers 2]

Serves on a database of its own, with the shipped defaults, and takes the time of refresh and me on one open connection:
alone, then beside so many connections that sign in again and again. Prints medians, p99s and their ratios, what the
sign-ins were answered, and the peak of the workers' memory. Exit code 1 if a p99 grows more than five times, or if
anything but a sign-in is refused; 2 if the sign-ins were not all answered 200, and so were no such flood.
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
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tests.people import PASSWORD
from tests.postgres import Postgres
from tests.server import Server

MAX_SLOWDOWN = 5
"""How much longer the slowest hundredth may take beside the flood."""


class Client:
    """One open connection, which remembers its tokens."""

    def __init__(self, port: int, email: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.credentials = {"email": email, "password": PASSWORD}
        self.pair: dict[str, str] = {}

    def call(self, method: str, path: str, body: dict[str, str] | None = None) -> int:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.pair.get('access_token')}"}
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
    parser.add_argument("--sign-ins", type=int, default=64, help="connections that sign in (default: %(default)s)")
    parser.add_argument(
        "--seconds", type=int, default=15, help="for each of the two measurements (default: %(default)s)"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes of the server (default: %(default)s)")
    options = parser.parse_args()
    with ExitStack() as stack:
        server = serve(stack, options.database, options.workers)
        honest = Client(server.port, "honest@example.com")
        assert honest.call("POST", "/api/register/", honest.credentials) == 201
        assert honest.login() == 200
        measure(honest, 2, "warming up")
        alone, refused = measure(honest, options.seconds, "alone")
        over, told = multiprocessing.Event(), multiprocessing.Queue()
        flood = multiprocessing.Process(target=login_repeatedly, args=(server.port, options.sign_ins, over, told))
        flood.start()
        if (said := told.get(timeout=60)) != "begun":
            sys.exit(said)
        beside, refused_beside = measure(honest, options.seconds, f"beside {options.sign_ins} sign-ins")
        over.set()
        answers = told.get(timeout=60)
        flood.join()
        memory = [peak_memory(pid) for pid in server.worker_pids()]
    worst = 0.0
    for door, times in alone.items():
        (m0, p0), (m1, p1) = percentiles(times), percentiles(beside[door])
        worst = max(worst, p1 / p0)
        print(f"{door}: alone median {m0:.1f} ms, p99 {p0:.1f} ms")
        print(f"{door}: beside median {m1:.1f} ms, p99 {p1:.1f} ms, which is {p1 / p0:.1f} times")
    rate = sum(answers.values()) / options.seconds
    print(f"sign-ins: {rate:.0f} a second, {dict(answers)}; peak of the workers' memory {memory} MB")
    print(f"refused besides: {dict(refused + refused_beside) or 'nothing'}")
    if set(answers) != {200}:
        print("That was no flood of sign-ins: not all of them were answered 200.")
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
    server = Server(folder / "served", url, workers=workers, threads=10).start()
    stack.callback(server.kill)
    return server


def measure(caller: Client, seconds: float, says: str) -> tuple[dict[str, list[float]], Counter[int]]:
    """Refresh and ask for the own record in turns; return how long each took, in milliseconds, and what was refused."""
    times: dict[str, list[float]] = {"refresh": [], "me": []}
    refused = Counter[int]()
    caller.connection.close()  # the server may have, for it was idle; the next request opens it again
    end = time.monotonic() + seconds
    with tqdm(desc=says, unit=" requests", mininterval=1) as bar:
        while time.monotonic() < end:
            for door, taken in times.items():
                began = time.perf_counter()
                status = getattr(caller, door)()
                taken.append((time.perf_counter() - began) * 1e3)
                refused.update([status] if status != 200 else [])
                bar.update()
    return times, refused


def login_repeatedly(port: int, count: int, over: Any, told: Any) -> None:
    """Sign in on so many connections, each to an account of its own; a refusal is tried again at once."""
    callers = [Client(port, f"flood{number}@example.com") for number in range(count)]
    for caller in callers:
        if (status := caller.call("POST", "/api/register/", caller.credentials)) != 201:
            told.put(f"Nobody can sign in again and again who cannot register: {status}.")
            return
    answers = Counter[int | str]()

    def again(caller: Client) -> None:
        try:
            while not over.is_set():
                answers.update([caller.login()])
        except (OSError, http.client.HTTPException) as error:  # this connection signs in no more
            answers.update([type(error).__name__])

    threads = [threading.Thread(target=again, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    told.put("begun")
    for thread in threads:
        thread.join()
    told.put(answers)


def percentiles(taken: list[float]) -> tuple[float, float]:
    ordered = sorted(taken)
    return ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]


def peak_memory(pid: int) -> int:
    """Return a process's peak of memory, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    sys.exit(main())
