"""Latchkey beside other sign-in systems: what a request costs, what the database pays, whether sessions fork.

    .venv/bin/python -m bench [--quick] [--only NAME ...] [--output FOLDER] [--publish] [--endurance]

Needs Linux, and a machine that does nothing else: a quarter of an hour, or two minutes with --quick. Makes an
environment for each system under .bench/ from the registries, serves all of them on one PostgreSQL of its own, each
with one worker of four threads, and measures them in turns beside bare limits. Prints a table and writes JSON,
Markdown and a chart. Exit code 0 if everything was measured that can run here, 1 if a system failed or could not be
installed, 2 for wrong options.
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

from bench import extra_passes as beside
from bench.adapter import Adapter
from bench.profiles import FULL, QUICK
from bench.report import files, machine
from bench.report.markdown import render_markdown
from bench.run import BenchmarkRun
from bench.server import BenchmarkError

SYSTEM_NAMES = ("latchkey", "simplejwt", "allauth", "jwt_allauth", "oauth_toolkit", "fastapi_users", "better_auth")
REQUESTS = 500_000
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    options = read_options()
    names = [name for name in SYSTEM_NAMES if name in (options.only or SYSTEM_NAMES)]
    systems = [import_module(f"bench.systems.{name}").SYSTEM for name in names]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
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


def publish(results: dict[str, Any]) -> None:
    if missing := sorted(results["failed"] | results["left_out"]):
        print(f"Not published, for lack of {', '.join(missing)}.", file=sys.stderr)
    else:
        files.publish(results)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the requests: two minutes, for a first look")
    parser.add_argument(
        "--only", nargs="+", choices=SYSTEM_NAMES, metavar="NAME", help=f"these alone, of {', '.join(SYSTEM_NAMES)}"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the results (default: bench/results)")
    parser.add_argument("--publish", action="store_true", help="write docs/benchmarks.md and its chart too")
    parser.add_argument("--endurance", action="store_true", help=f"watch the memory over {REQUESTS:,} requests")
    options = parser.parse_args()
    if options.publish and (options.quick or options.only):
        parser.error("--publish is for a whole run, without --quick and --only.")
    return options


def run_benchmark(stack: ExitStack, systems: list[Adapter], options: argparse.Namespace) -> dict[str, Any]:
    """Make the run; everything it starts ends with the stack."""
    size = QUICK if options.quick else FULL
    folder = Path(tempfile.mkdtemp(prefix="latchkey-bench-"))
    folder.chmod(0o755)
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    steps = len(systems) * (4 + 3 * size.repetitions) + 7 * size.repetitions
    steps += ("latchkey" in [system.name for system in systems]) * (1 + size.flood + options.endurance)
    bar = stack.enter_context(tqdm(total=steps, unit="step", mininterval=0.5))
    described = machine.describe_machine()
    course = BenchmarkRun(stack, folder, systems, size, bar)
    described["PostgreSQL"] = course.cluster.version()
    for _ in range(size.repetitions):
        course.measure_turn()
    course.for_each_system("memory", course.memory)
    course.for_each_system("parallel refreshes", course.parallel_refreshes)
    course.for_each_system("round trips", course.round_trips)
    run_latchkey_passes(course, options, bar)
    bar.set_description("done")
    return {"machine": described, "quick": options.quick, **course.results()}


def run_latchkey_passes(course: BenchmarkRun, options: argparse.Namespace, bar: tqdm) -> None:
    """Two workers against pgbench, a flood of sign-ins, and a long run where it is wanted."""
    found, size = course.extra_results["whole"], course.size
    for subject in course.subjects:
        if subject.system.name != "latchkey" or "latchkey" in course.progress.failed:
            continue
        with course.step("latchkey", "two workers, and pgbench"):
            found["two_workers"] = beside.two_workers(subject, course.cluster, size.repetitions, size.seconds)
        if size.flood:
            with course.step("latchkey", "64 parallel logins"):
                found["flood"] = beside.flood()
        if options.endurance:
            with course.step("latchkey", f"{REQUESTS:,} requests"):
                found["endurance"] = beside.endurance(subject, REQUESTS, bar)


if __name__ == "__main__":
    sys.exit(main())
