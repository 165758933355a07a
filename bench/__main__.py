"""Benchmark of Latchkey and six other sign-in systems: CPU time, throughput, latency, database load, correctness.

    .venv/bin/python -m bench [--quick] [--only NAME ...] [--output FOLDER] [--publish] [--endurance]
    .venv/bin/python -m bench --beside FILE ... [--quick] [--output FOLDER]

A run needs Linux and an idle machine, and takes 15 minutes (2 minutes with --quick). It installs each system into an
environment under .bench/ and serves all of them on one PostgreSQL server, each with one worker of four threads. Systems
are measured in turns, together with upper limits such as a bare Django view. The results are a table on stdout, JSON,
Markdown and a chart. Exit code 0: everything that can run here was measured. 1: a system failed or could not be
installed. 2: wrong options, or a wrong file.

With --beside, it measures servers that are already running on this machine, in any language, instead of the six: the
same load, figures and units, without starting or pinning anything. A TOML file describes each server: its requests,
where the tokens are, its processes and its database. Examples are in bench/examples/, and the section "Measure your own
servers" of docs/benchmarks.md documents the keys. The run creates users and sessions there, so take a test
installation, with its rate limits off. The results are a table on stdout, beside.json and beside.md.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
from tqdm import tqdm

from bench import extra_passes
from bench.adapter import Adapter
from bench.beside import report as beside_report
from bench.beside.description import DescriptionError, read_files
from bench.beside.run import run_beside
from bench.measurement import MeasurementLimits
from bench.profiles import FULL, QUICK
from bench.report import files, machine
from bench.report.markdown import render_markdown
from bench.run import BenchmarkRun
from bench.server import BenchmarkError

SYSTEM_NAMES = ("latchkey", "simplejwt", "allauth", "jwt_allauth", "oauth_toolkit", "fastapi_users", "better_auth")
REQUESTS = 500_000  # of the endurance run
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.beside:
        return measure_beside(options)
    names = [name for name in SYSTEM_NAMES if name in (options.only or SYSTEM_NAMES)]
    systems = [import_module(f"bench.systems.{name}").SYSTEM for name in names]
    try:
        with ExitStack() as stack:
            results = run_benchmark(stack, systems, options)
    except KeyboardInterrupt:
        print("Interrupted; all servers are stopped.", file=sys.stderr)
        return 130
    except (BenchmarkError, OSError, psycopg.Error) as error:
        print(f"The run cannot begin: {error}", file=sys.stderr)
        return 1
    files.save(results, options.output)
    print(render_markdown(results))
    print(f"Written to {options.output}/newest.md, .json and .svg.", file=sys.stderr)
    if options.publish:
        publish(results)
    return int(bool(results["failed"]))


def measure_beside(options: argparse.Namespace) -> int:
    """Measure the running servers that the files describe; return 1 if one of them failed."""
    try:
        results = run_beside(options.servers, QUICK if options.quick else FULL, options.quick)
    except KeyboardInterrupt:
        print("Interrupted; the servers are still running.", file=sys.stderr)
        return 130
    beside_report.save(results, options.output)
    print(beside_report.render_markdown(results))
    print(f"Written to {options.output}/beside.md and .json.", file=sys.stderr)
    return int(bool(results["failed"]))


def publish(results: dict[str, Any]) -> None:
    """Write docs/benchmarks.md, but only from a run that measured every system."""
    if missing := sorted(results["failed"] | results["unavailable"]):
        print(f"Not published, because these systems are missing: {', '.join(missing)}.", file=sys.stderr)
    else:
        files.publish(results)


def read_options() -> argparse.Namespace:
    """Parse the command line; exit with 2 for wrong options."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the requests, in two minutes")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=SYSTEM_NAMES,
        metavar="NAME",
        help=f"measure these systems only: {', '.join(SYSTEM_NAMES)}",
    )
    parser.add_argument(
        "--output", type=Path, default=RESULTS, help="directory for the results (default: bench/results)"
    )
    parser.add_argument("--publish", action="store_true", help="write docs/benchmarks.md and its chart, too")
    parser.add_argument("--endurance", action="store_true", help=f"measure memory over {REQUESTS:,} requests")
    parser.add_argument(
        "--beside",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="measure the running servers that these TOML files describe",
    )
    options = parser.parse_args()
    if options.publish and (options.quick or options.only):
        parser.error("--publish needs a full run, without --quick and --only.")
    if options.beside:
        if options.only or options.publish or options.endurance:
            parser.error("--beside measures the servers of its files: without --only, --publish and --endurance.")
        try:
            options.servers = read_files(options.beside)
        except DescriptionError as error:
            parser.error(f"--beside: {error}")
    return options


def run_benchmark(stack: ExitStack, systems: list[Adapter], options: argparse.Namespace) -> dict[str, Any]:
    """Run the benchmark and return its results; every process it starts ends with the stack."""
    size = QUICK if options.quick else FULL
    folder = Path(tempfile.mkdtemp(prefix="latchkey-bench-"))
    folder.chmod(0o755)
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    steps = len(systems) * (4 + 3 * size.repetitions) + 7 * size.repetitions
    steps += ("latchkey" in [system.name for system in systems]) * (2 + size.flood + options.endurance)
    bar = stack.enter_context(tqdm(total=steps, unit="step", mininterval=0.5))
    described = machine.describe_machine()
    run = BenchmarkRun(stack, folder, systems, size, bar)
    described["PostgreSQL"] = run.cluster.version()
    for _ in range(size.repetitions):
        run.measure_turn()
    run.for_each_system("memory", run.memory)
    run.for_each_system("parallel refreshes", run.parallel_refreshes)
    run.for_each_system("round trips", run.round_trips)
    run_latchkey_passes(run, options, bar)
    bar.set_description("done")
    return {"machine": described, "quick": options.quick, **run.results()}


def run_latchkey_passes(run: BenchmarkRun, options: argparse.Namespace, bar: "tqdm[Any]") -> None:
    """Run what only Latchkey has: many clients, two workers against pgbench, a login flood, an endurance run."""
    found, size = run.extra_results["whole"], run.size
    for subject in run.subjects:
        if subject.system.name != "latchkey" or "latchkey" in run.progress.failed:
            continue
        with run.step("latchkey", "1 to 64 clients"):
            amount = MeasurementLimits(size.warm_up, size.requests, size.seconds)
            found["by_clients"] = extra_passes.by_clients(subject, run.database_cpu, size.repetitions, amount)
        with run.step("latchkey", "two workers, and pgbench"):
            found["two_workers"] = extra_passes.two_workers(subject, run.cluster, size.repetitions, size.seconds)
        if size.flood:
            with run.step("latchkey", "64 parallel logins"):
                found["flood"] = extra_passes.flood()
        if options.endurance:
            with run.step("latchkey", f"{REQUESTS:,} requests"):
                found["endurance"] = extra_passes.endurance(subject, REQUESTS, bar)


if __name__ == "__main__":
    sys.exit(main())
