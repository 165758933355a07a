"""One measurement of an endpoint, and the median of several."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench import load
from bench.adapter import Person
from bench.endpoints import Endpoint
from bench.server import BenchmarkError, MeasuredServer

Figures = dict[str, float]


@dataclass(frozen=True)
class MeasurementLimits:
    """Maximum requests and seconds of one measurement."""

    warm_up: int
    requests: int
    seconds: float


def measure(
    running: MeasuredServer,
    database: Callable[[], int],
    endpoint: Endpoint,
    people: list[Person],
    amount: MeasurementLimits,
    *,
    connections: int = load.CONNECTIONS,
) -> Figures:
    """Load one endpoint after a warm-up; return CPU time per request, throughput and latency.

    Raises BenchmarkError if too many requests failed.
    """
    running.ensure_running()
    warmed = load.run(running.port, endpoint, people, amount.warm_up, amount.seconds / 4, connections=connections)
    cpu, database_cpu, own_cpu = running.cpu_time_ns(), database(), time.process_time_ns()
    done = load.run(running.port, endpoint, people, amount.requests, amount.seconds, connections=connections)
    own_cpu = time.process_time_ns() - own_cpu
    cpu, database_cpu = running.cpu_time_ns() - cpu, database() - database_cpu
    wrong = warmed.errors + done.errors  # a warm-up with errors stops early
    errors = wrong.total()
    if errors >= load.MAX_ERRORS or errors * 2 > done.requests:
        raise BenchmarkError(
            f"{endpoint.name}: {errors} errors in {done.requests} requests: {wrong.most_common(1)[0][0]}"
        )
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
    """Return the median of each figure over the turns, and their spread: (maximum - minimum) / median."""
    figures = {name: median(sample[name] for sample in samples) for name in samples[0]}
    for counted in ("requests", "errors"):
        if counted in figures:
            figures[counted] = sum(sample[counted] for sample in samples)
    leading = "cpu_us" if "cpu_us" in figures else "rate"
    values = [sample[leading] for sample in samples]
    return figures | {"spread": (max(values) - min(values)) / median(values)}
