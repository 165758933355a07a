"""CPU cost of a request in this checkout and in another one: what does a change of the code cost?

    .venv/bin/python -m bench.compare OTHER_CHECKOUT [--endpoint refresh|me] [--connections 8] [--pairs 100]
                                                     [--requests 1000]

Serves both with one worker of four threads, each on a database of its own in one PostgreSQL, and puts the same load
on one, then on the other: a pair. Pairs are short and many, and every second one begins with the other checkout, so
that what else the machine does meets both alike. Prints the medians of the CPU time (user and system) of one request,
of the server, of PostgreSQL and of the load generator apart, and of the pairs' ratios the median and the quartiles.
Compare a checkout with a copy of itself to see the noise. Exit code 1 if a system cannot be measured.
"""

import argparse
import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

from tqdm import tqdm

from bench import endpoints, load, processes
from bench.database import Cluster
from bench.measurement import Figures, MeasurementLimits, measure
from bench.profiles import QUICK
from bench.server import BenchmarkError
from bench.system_under_test import SystemUnderTest, make_people
from bench.systems.latchkey import ROOT, Latchkey

WARM_UP_REQUESTS = 4_000
"""Of each server before the first pair; then a tenth of the requests before each measurement."""
MAX_SECONDS = 120.0
"""Of one measurement; with fewer requests than asked for, the run ends with an error."""

FIGURES = {"cpu_us": "server", "database_cpu_us": "PostgreSQL", "generator_cpu_us": "load generator"}


class Checkout(Latchkey):
    """Latchkey out of a folder, with the packages of this Python."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = self.title = name
        self.root = root

    def environment(self, python: Path, port: int, database_url: str, cheap_hash: bool) -> dict[str, str]:
        return super().environment(python, port, database_url, cheap_hash) | {"PYTHONPATH": str(self.root)}


def main() -> int:
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="latchkey-compare-")))
        folder.chmod(0o755)  # PostgreSQL runs as a user of its own
        cluster = Cluster(folder / "postgresql")
        stack.callback(cluster.stop)
        try:
            subjects = [
                start(stack, cluster, folder, Checkout(name, root.resolve()), options.connections)
                for name, root in (("this", ROOT), ("other", options.other))
            ]
            turns = tqdm(range(options.pairs), desc=options.endpoint, unit=" pairs")
            pairs = [measure_pair(cluster, subjects, options, number) for number in turns]
        except BenchmarkError as error:
            print(error, file=sys.stderr)
            return 1
    print_summary(options.endpoint, pairs)
    return 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("other", type=Path, help="folder of the other checkout")
    parser.add_argument("--endpoint", choices=["refresh", "me"], default="refresh", help="default: %(default)s")
    parser.add_argument("--pairs", type=int, default=100, help="measurements of each (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=8, help="clients at a time (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=1_000, help="of one measurement (default: %(default)s)")
    options = parser.parse_args()
    if not (options.other / "latchkey/__init__.py").exists():
        parser.error(f"no checkout of Latchkey: {options.other}")
    if options.connections < 1:
        parser.error("--connections: at least 1.")
    if options.pairs < 2:
        parser.error("--pairs: at least 2, to have quartiles.")
    return options


def start(stack: ExitStack, cluster: Cluster, folder: Path, checkout: Checkout, connections: int) -> SystemUnderTest:
    """Serve one checkout, and have the people of the load sign up and sign in."""
    database = cluster.create_database(checkout.name)
    subject = SystemUnderTest(checkout, Path(sys.executable), database, folder / checkout.name, QUICK)
    subject.refresh_users = make_people("refresh", connections)
    subject.make_tables()
    stack.callback(subject.stop)
    os.sched_setaffinity(0, processes.OTHER_CORES)
    subject.main_server = subject.serve()
    subject.sign_up(subject.main_server, subject.refresh_users, cheap=False)
    subject.sign_in(subject.main_server, subject.refresh_users)
    warmed = load.run(
        subject.main_server.port,
        subject.refresh,
        subject.refresh_users,
        WARM_UP_REQUESTS,
        MAX_SECONDS,
        connections=connections,
    )
    warmed.raise_for_errors(checkout.name)
    return subject


def measure_pair(
    cluster: Cluster, subjects: list[SystemUnderTest], options: argparse.Namespace, number: int
) -> dict[str, Figures]:
    """Measure each checkout once; every second time in the other order."""

    def database_cpu() -> int:
        return processes.cpu_time_ns(cluster.pid) + processes.children_cpu_time_ns(cluster.pid)

    limits = MeasurementLimits(options.requests // 10, options.requests, MAX_SECONDS)
    pair = {}
    for subject in reversed(subjects) if number % 2 else subjects:
        endpoint, name = subject.refresh, subject.system.name
        if options.endpoint == "me":
            subject.refresh_tokens()  # access tokens live for half a minute
            endpoint = endpoints.me(subject.system)
        people, connections = subject.refresh_users, options.connections
        pair[name] = measure(subject.main_server, database_cpu, endpoint, people, limits, connections=connections)
        if pair[name]["requests"] < options.requests or pair[name]["errors"]:
            raise BenchmarkError(f"{name}: {pair[name]}")
    return pair


def describe(figures: Figures) -> str:
    cpu = ", ".join(f"{title} {figures[key]:.1f} us" for key, title in FIGURES.items())
    return f"{cpu}, {figures['rate']:.0f} requests/s, p50 {figures['p50_ms']:.2f} ms, p99 {figures['p99_ms']:.2f} ms"


def print_summary(endpoint: str, pairs: list[dict[str, Figures]]) -> None:
    """Print the medians of both, and how many times as much CPU the other checkout takes."""
    for name in ("this", "other"):
        samples = [pair[name] for pair in pairs]
        print(f"{endpoint}, {name}: {describe({key: median(sample[key] for sample in samples) for key in samples[0]})}")
    for key, title in FIGURES.items():
        low, middle, high = quantiles([pair["other"][key] / pair["this"][key] for pair in pairs], n=4)
        print(f"{title}: other / this {middle:.3f} (quartiles {low:.3f} and {high:.3f}, {len(pairs)} pairs)")


if __name__ == "__main__":
    sys.exit(main())
