"""Duration of an import and an export of users, and the latency of refreshes meanwhile.

    .venv/bin/python -m bench.import_bench sqlite|postgresql [--users 1000000]

Starts a server on an empty database, with two workers of four threads. Imports users from a CSV file with PBKDF2 and
bcrypt hashes, then exports them. Prints the duration, the CPU seconds and the peak memory of each command, and the
median, p99 and maximum latency of refreshes that one client sent meanwhile. Takes some minutes and half a gigabyte of
disk.
"""

import argparse
import os
import random
import string
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median

from tqdm import tqdm

from bench.flood import Client
from bench.workspace import create_workspace
from tests.server import Server

DOMAINS = ["gmail.com", "outlook.com", "example.com", *(f"d{number}.example" for number in range(2_000))]
LETTERS = string.ascii_letters + string.digits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=["sqlite", "postgresql"])
    parser.add_argument(
        "--users", type=int, default=1_000_000, help="number of users in the file (default: %(default)s)"
    )
    options = parser.parse_args()
    with ExitStack() as opened:
        folder, url = create_workspace(opened, "moving", options.database)
        server = Server(folder / "server", url).start()
        opened.callback(server.kill)
        make_file(server.folder / "users.csv", options.users)
        person = Client(server.port, "admin@example.com")
        person.credentials["password"] = server.environment["LATCHKEY_ADMIN_PASSWORD"]
        assert person.login() == 200
        heading = (
            f"{'command':<10}{'seconds':>9}{'CPU':>6}{'MiB':>6}{'refreshes':>11}{'median':>9}{'p99':>9}{'slowest':>9}"
        )
        print(heading, flush=True)
        alone = refresh_during(person, lambda: time.sleep(10))
        print_row("(alone)", 10, [0, 0], alone)
        for name, command in {
            "import": ("users", "import", "users.csv"),
            "export": ("users", "export", "all.csv"),
        }.items():
            began, used = time.monotonic(), [0, 0]
            taken = refresh_during(person, partial(run_command, server, command, used))
            print_row(name, time.monotonic() - began, used, taken)


def make_file(path: Path, users: int) -> None:
    """Write a CSV file of users in random order; the hashes are well-formed, but match no password."""
    chance = random.Random(1)
    order = list(range(users))
    chance.shuffle(order)
    with path.open("w") as file:
        file.write("email,username,created_at,password_hash\n")
        for number in tqdm(order, unit=" lines"):
            salt, known = ("".join(chance.choices(LETTERS, k=length)) for length in (22, 42))
            kinds = f"pbkdf2_sha256$600000${salt}${known}A=", f"$2b$12${salt[:21]}O{known[:30]}e"
            domain = DOMAINS[min(int(chance.expovariate(0.01)), len(DOMAINS) - 1)]
            file.write(f"user.{number}@{domain},User {number},2024-05-06T07:08:09Z,{kinds[number % 2]}\n")


def run_command(server: Server, arguments: tuple[str, ...], own: list[int]) -> None:
    """Run a command; store its CPU time in seconds and its peak memory in MiB in `own`."""
    with (server.folder / "command.log").open("wb") as log:
        process = server.spawn(*arguments, output=log)
        _, status, used = os.wait4(process.pid, 0)
    assert status == 0, (server.folder / "command.log").read_text()[-2000:]
    own[:] = round(used.ru_utime + used.ru_stime), used.ru_maxrss // 1024


def refresh_during(person: Client, act: Callable[[], None]) -> list[float]:
    """Refresh repeatedly while `act` runs; return the sorted latencies in milliseconds."""
    taken: list[float] = []
    work = threading.Thread(target=act)
    work.start()
    while work.is_alive():
        began = time.perf_counter()
        assert person.refresh() == 200
        taken.append((time.perf_counter() - began) * 1e3)
        time.sleep(0.02)
    work.join()
    return sorted(taken)


def print_row(name: str, seconds: float, own: list[int], taken: list[float]) -> None:
    p99 = taken[len(taken) * 99 // 100]
    print(
        f"{name:<10}{seconds:>9.0f}{own[0]:>6}{own[1]:>6}{len(taken):>11}{median(taken):>9.1f}{p99:>9.1f}{taken[-1]:>9.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
