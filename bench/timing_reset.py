"""Timing attack on password reset: does the response time reveal who has an account (user enumeration)?

    .venv/bin/python -m bench.timing_reset sqlite|postgresql [--samples 300] [--processor]

Starts a server with one worker on an empty database, and a mail server that accepts everything. Requests password
resets in random order: for unknown addresses, for addresses with an account, and for addresses with an inactive
account. Prints the median of each kind, its ratio to that of unknown addresses, and the p-value of a Kolmogorov-Smirnov
test against them. Exit code 1: a ratio differs from 1 by more than 5 %. On a busy machine compare the p-values, or use
--processor, which measures the CPU time of the worker (Linux).
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from http.client import HTTPConnection

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from tqdm import tqdm

from bench.timing_login import cpu_seconds, report
from bench.workspace import create_workspace
from tests.postgres import free_port
from tests.server import Server

PER_ADDRESS = 20
"""Samples per IP address, fewer than the rate limit allows. Each e-mail address is used once."""

KINDS = ("unknown", "known", "inactive")
MAKE_ACCOUNTS = """
User.objects.bulk_create(
    User(email=f"{kind}-{number}@example.com", password="!", is_active=kind == "known")
    for kind in ("known", "inactive") for number in range(ACCOUNTS)
)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=["sqlite", "postgresql"])
    parser.add_argument("--samples", type=int, default=300, help="samples of each kind (default: %(default)s)")
    parser.add_argument("--processor", action="store_true", help="measure CPU time of the worker, not wall-clock time")
    options = parser.parse_args()
    with ExitStack() as opened:
        folder, url = create_workspace(opened, "equal", options.database)
        taking = Controller(Sink(), hostname="127.0.0.1", port=free_port())
        opened.callback(taking.stop)
        taking.start()
        sends = f"smtp://127.0.0.1:{taking.port}?tls=off"
        server = Server(folder / "server", url, workers=1, EMAIL_URL=sends).start()
        opened.callback(server.kill)
        server.shell(MAKE_ACCOUNTS.replace("ACCOUNTS", str(options.samples)))
        (worker,) = server.worker_pids()
        clock = (lambda: cpu_seconds(worker)) if options.processor else time.perf_counter
        taken = measure(server.port, options.samples, clock)
    sys.exit(report(taken))


def measure(port: int, samples: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Request resets of each kind in random order; return the times in milliseconds."""
    order = [(kind, number) for kind in KINDS for number in range(samples)]
    random.shuffle(order)
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with tqdm(total=len(order), unit=" mails") as bar:
        for batch, start in enumerate(range(0, len(order), PER_ADDRESS)):
            source = f"127.0.{1 + batch // 250}.{1 + batch % 250}"
            with closing(HTTPConnection("127.0.0.1", port, timeout=30, source_address=(source, 0))) as connection:
                time_reset_request(connection, f"warming-up-{batch}@example.com", clock)
                for kind, number in order[start : start + PER_ADDRESS]:
                    taken[kind].append(time_reset_request(connection, f"{kind}-{number}@example.com", clock))
                    bar.update()
    return taken


def time_reset_request(connection: HTTPConnection, email: str, clock: Callable[[], float]) -> float:
    """Request a reset; return its time in milliseconds."""
    began = clock()
    connection.request(
        "POST", "/api/password/reset/", json.dumps({"email": email}), {"Content-Type": "application/json"}
    )
    answer = connection.getresponse()
    said = answer.read()
    took = (clock() - began) * 1e3
    assert answer.status == 202, (email, answer.status, said)
    return took


if __name__ == "__main__":
    main()
