"""Timing attack on sign-in: does the response time of a failed sign-in reveal who has an account (user enumeration)?

    .venv/bin/python -m bench.timing_login sqlite|postgresql [--samples 200] [--processor]

Starts a server with one worker on an empty database, and sends failed sign-ins for each kind of account in random
order. Prints the median of each kind, its ratio to that of unknown addresses, and the p-value of a Kolmogorov-Smirnov
test against them. Exit code 1: a ratio differs from 1 by more than 5 %. Imported hashes that are slower than those of
Latchkey are printed, with a fifth of the samples, but not tested (docs/security.md has the reason). A run takes a
minute on an idle machine. On a busy machine use --processor, which measures the CPU time of the worker (Linux).
"""

import argparse
import json
import math
import random
import sys
import time
from bisect import bisect_right
from collections.abc import Callable
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from tqdm import tqdm

from bench.workspace import create_workspace
from tests.server import Server

TOLERANCE = 0.05
PER_ACCOUNT, PER_ADDRESS = 5, 20
"""Samples per account and per IP address, fewer than the failed sign-ins that the rate limits allow."""

EXPENSIVE_HASHES = ("pbkdf2", "scrypt", "bcrypt")
CHEAP_HASHES = ("cheaper", "cheap-pbkdf2", "cheap-scrypt", "cheap-bcrypt")
KINDS = ("unknown", "wrong", "inactive", "unusable", *CHEAP_HASHES, *EXPENSIVE_HASHES)
PASSWORD = "correct horse battery staple"
MAKE_ACCOUNTS = f"""
import bcrypt
from django.contrib.auth.hashers import PBKDF2PasswordHasher, ScryptPasswordHasher
from latchkey.hashing.argon2 import Argon2idPasswordHasher as Argon2id
cheap = Argon2id()
cheap.memory_cost, cheap.time_cost = 8192, 1
made = {{"wrong": Argon2id(), "inactive": Argon2id(), "cheaper": cheap}}
made |= {{"pbkdf2": PBKDF2PasswordHasher(), "scrypt": ScryptPasswordHasher()}}
hashes = {{kind: hasher.encode("another password", hasher.salt()) for kind, hasher in made.items()}}
hashes |= {{"bcrypt": "bcrypt$" + bcrypt.hashpw(b"another password", bcrypt.gensalt(10)).decode()}}
hashes |= {{"cheap-bcrypt": "bcrypt$" + bcrypt.hashpw(b"another password", bcrypt.gensalt(6)).decode()}}
hashes |= {{"cheap-pbkdf2": made["pbkdf2"].encode("another password", "salt", 20_000)}}
hashes |= {{"cheap-scrypt": made["scrypt"].encode("another password", "salt", 4096, 8, 1)}}
hashes |= {{"unusable": "!", "inactive": made["inactive"].encode({PASSWORD!r}, made["inactive"].salt())}}
User.objects.bulk_create(
    User(email=f"{{kind}}-{{number}}@example.com", password=password, is_active=kind != "inactive")
    for kind, password in hashes.items() for number in range(ACCOUNTS)
)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=["sqlite", "postgresql"])
    parser.add_argument(
        "--samples", type=int, default=200, help="samples of each kind, 5 or more (default: %(default)s)"
    )
    parser.add_argument("--processor", action="store_true", help="measure CPU time of the worker, not wall-clock time")
    options = parser.parse_args()
    with ExitStack() as opened:
        folder, url = create_workspace(opened, "equal", options.database)
        server = Server(folder / "server", url, workers=1).start()
        opened.callback(server.kill)
        server.shell(MAKE_ACCOUNTS.replace("ACCOUNTS", str(options.samples // PER_ACCOUNT + 1)))
        (worker,) = server.worker_pids()
        clock = (lambda: cpu_seconds(worker)) if options.processor else time.perf_counter
        taken = measure(server.port, options.samples, clock)
    sys.exit(report(taken))


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of all threads of a process."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def measure(port: int, samples: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Send failed sign-ins of each kind in random order; return the times in milliseconds."""
    times = {kind: samples // 5 if kind in EXPENSIVE_HASHES else samples for kind in KINDS}
    order = [(kind, number // PER_ACCOUNT) for kind in KINDS for number in range(times[kind])]
    random.shuffle(order)
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with tqdm(total=len(order), unit=" sign-ins") as bar:
        for batch, start in enumerate(range(0, len(order), PER_ADDRESS)):
            source = f"127.0.{1 + batch // 250}.{1 + batch % 250}"
            with closing(HTTPConnection("127.0.0.1", port, timeout=30, source_address=(source, 0))) as connection:
                time_failed_login(connection, f"warming-up-{batch}@example.com", clock)
                for kind, number in order[start : start + PER_ADDRESS]:
                    taken[kind].append(time_failed_login(connection, f"{kind}-{number}@example.com", clock))
                    bar.update()
    return taken


def time_failed_login(connection: HTTPConnection, email: str, clock: Callable[[], float]) -> float:
    """Send a failed sign-in; return its time in milliseconds."""
    body = json.dumps({"email": email, "password": PASSWORD})
    began = clock()
    connection.request("POST", "/api/login/", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    said = answer.read()
    took = (clock() - began) * 1e3
    assert answer.status == 401, (email, answer.status, said)
    return took


def report(taken: dict[str, list[float]]) -> int:
    """Print a line for each kind; return the exit code."""
    unknown, apart = taken["unknown"], False
    print(f"{'kind':<13}{'median':>10}{'ratio':>8}{'KS p':>8}")
    for kind, times in taken.items():
        ratio = median(times) / median(unknown)
        off = abs(ratio - 1) > TOLERANCE
        apart |= off and kind not in EXPENSIVE_HASHES
        remark = "slower hash" if kind in EXPENSIVE_HASHES else "DIFFERENT" if off else ""
        print(f"{kind:<13}{median(times):>7.1f} ms{ratio:>8.3f}{ks_p_value(times, unknown):>8.3f}  {remark}".rstrip())
    return int(apart)


def ks_p_value(one: list[float], other: list[float]) -> float:
    """Return the p-value of the two-sample Kolmogorov-Smirnov test: it is small if the distributions differ."""
    one, other = sorted(one), sorted(other)
    shares = ((bisect_right(one, at) / len(one), bisect_right(other, at) / len(other)) for at in (*one, *other))
    distance = max(abs(a - b) for a, b in shares)
    root = math.sqrt(len(one) * len(other) / (len(one) + len(other)))
    reach = (root + 0.12 + 0.11 / root) * distance  # Stephens's approximation
    if reach < 0.3:  # there the series does not converge, and p is 1 to five digits
        return 1.0
    return min(1.0, 2 * sum((-1.0) ** (k - 1) * math.exp(-2 * (k * reach) ** 2) for k in range(1, 101)))


if __name__ == "__main__":
    main()
