"""One measurement, and what several of the same make together."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench import load
from bench.adapter import Person
from bench.endpoints import Endpoint
from bench.server import BenchmarkError, ServerProcess

Figures = dict[str, float]


@dataclass(frozen=True)
class MeasurementLimits:
    """What one measurement takes at most."""

    warm_up: int
    requests: int
    seconds: float


def measure(
    running: ServerProcess, database: Callable[[], int], door: Endpoint, people: list[Person], amount: MeasurementLimits
) -> Figures:
    """Put load on one door after a warm-up; return what a request cost the server and the database, and how it went.

    Raises Unable where so much went wrong that the figures would say nothing.
    """
    running.ensure_running()
    warmed = load.run(running.port, door, people, amount.warm_up, amount.seconds / 4)
    cpu, database_cpu, own_cpu = running.cpu_time_ns(), database(), time.process_time_ns()
    done = load.run(running.port, door, people, amount.requests, amount.seconds)
    own_cpu = time.process_time_ns() - own_cpu
    cpu, database_cpu = running.cpu_time_ns() - cpu, database() - database_cpu
    wrong = warmed.errors + done.errors  # a warm-up that goes wrong breaks off, and warms nothing
    errors = wrong.total()
    if errors >= load.MAX_ERRORS or errors * 2 > done.requests:
        raise BenchmarkError(f"{door.name}: {errors} errors in {done.requests} requests: {wrong.most_common(1)[0][0]}")
    return {
        "cpu_us": cpu / 1e3 / done.requests,
        "database_cpu_us": database_cpu / 1e3 / done.requests,
        "generator_cpu_us": own_cpu / 1e3 / done.requests,
        "rate": done.rate,
        "p50_ms": done.percentile(0.50),
        "p99_ms": done.percentile(0.99),
        "requests": done.requests,
        "errors": errors,
        "warm_up": warmed.requests,
    }


def combine(samples: list[Figures]) -> Figures:
    """Return the median of each figure over the turns, and how far apart the turns were."""
    figures = {name: median(sample[name] for sample in samples) for name in samples[0]}
    for counted in ("requests", "errors"):
        if counted in figures:
            figures[counted] = sum(sample[counted] for sample in samples)
    leading = "cpu_us" if "cpu_us" in figures else "rate"
    values = [sample[leading] for sample in samples]
    return figures | {"spread": (max(values) - min(values)) / median(values)}
