"""Additional measurements: SQL round trips, many clients, two workers and pgbench, a login flood, an endurance run."""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

from bench import load, processes
from bench.database import Cluster, growth_per_1000
from bench.endpoints import Endpoint, login, me, refresh
from bench.limits import pgbench
from bench.measurement import Figures, MeasurementLimits, combine, measure
from bench.round_trips import CountingProxy
from bench.server import BenchmarkError
from bench.system_under_test import SystemUnderTest, make_people

COUNTED_REQUESTS, PARALLEL_CLIENTS = 50, 64
CLIENT_COUNTS = (1, 8, PARALLEL_CLIENTS)
WARM_UP_REQUESTS = 40  # each thread of the server has a connection, whose first requests differ


def round_trips(subject: SystemUnderTest) -> dict[str, float]:
    """Return the round trips to the database per request, over one connection of a client."""
    proxy, system = CountingProxy(subject.database.port), subject.system
    server = subject.serve(cheap=True, database_port=proxy.port)
    people = subject.cheap_login_users[:20]  # enough that nobody reaches the maximum number of sessions
    endpoints = [login(system, "login"), *([refresh(system)] if system.refreshes else []), me(system)]
    counted = {}
    for endpoint in endpoints:
        load.run(server.port, endpoint, people, WARM_UP_REQUESTS, 10, connections=1).raise_for_errors(endpoint.name)
        before = proxy.count
        done = load.run(server.port, endpoint, people, COUNTED_REQUESTS, 10, connections=1)
        done.raise_for_errors(endpoint.name)
        counted[endpoint.name] = (proxy.count - before) / done.requests
    server.stop()
    proxy.close()
    return counted


def by_clients(
    subject: SystemUnderTest, database_cpu: Callable[[], int], turns: int, amount: MeasurementLimits
) -> dict[str, Figures]:
    """Return the figures of a refresh by the number of clients that refresh at the same time."""
    crowd, samples = make_people("many", PARALLEL_CLIENTS), defaultdict[str, list[Figures]](list)
    subject.sign_up(subject.main_server, crowd, cheap=False)
    subject.sign_in(subject.main_server, crowd)
    for _ in range(turns):
        for clients in CLIENT_COUNTS:
            endpoint, before = refresh(subject.system), subject.database.counters()
            sample = measure(subject.main_server, database_cpu, endpoint, crowd, amount, connections=clients)
            requests = int(sample["requests"] + sample["warm_up"])
            samples[str(clients)].append(sample | growth_per_1000(before, subject.database.counters(), requests))
    return {clients: combine(each) for clients, each in samples.items()}


def two_workers(subject: SystemUnderTest, cluster: Cluster, turns: int, seconds: float) -> dict[str, float]:
    """Return the refreshes per second of two workers, and those of pgbench with the same statement, both on all cores.

    Both have 64 clients, which is enough to saturate them: with 16 the workers were idle at times, with 8 pgbench was.
    """
    everywhere, crowd = set(processes.CORES), make_people("crowd", PARALLEL_CLIENTS)
    pgbench.insert_sessions(subject.database)
    script, rates = pgbench.write_script(cluster.postgres.folder), []
    processes.set_affinity(cluster.pid, everywhere)
    with processes.cpu_affinity(everywhere):
        server = subject.serve(cores=everywhere, workers=2)
        subject.sign_up(server, crowd, cheap=False)
        subject.sign_in(server, crowd)
        endpoint = refresh(subject.system)
        load.run(server.port, endpoint, crowd, 2_000, seconds, connections=len(crowd)).raise_for_errors("two workers")
        for _ in range(turns):
            database = pgbench.measure(cluster, subject.database, script, seconds, PARALLEL_CLIENTS)
            done = load.run(server.port, endpoint, crowd, 1_000_000, seconds, connections=len(crowd))
            done.raise_for_errors("two workers")
            rates.append((done.rate, database))
        server.stop()
    processes.set_affinity(cluster.pid, processes.OTHER_CORES)
    return {"rate": median(one for one, _ in rates), "pgbench": median(other for _, other in rates)}


def flood() -> dict[str, float]:
    """Run bench.flood; return the factors by which 64 parallel sign-ins raise the p99 of refresh and me."""
    command = [sys.executable, "-m", "bench.flood", "postgresql", "--seconds", "10"]
    folder = Path(__file__).resolve().parents[1]
    with processes.cpu_affinity(set(processes.CORES)):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=False)
    times = re.findall(r"^(\w+): during the flood .* which is ([\d.]+) times$", done.stdout, re.MULTILINE)
    if done.returncode > 1 or len(times) != 2 or "failed requests beside the flood: none" not in done.stdout:
        raise BenchmarkError(f"bench.flood: {(done.stdout + done.stderr)[-300:]}")
    return {endpoint: float(value) for endpoint, value in times}


def endurance(subject: SystemUnderTest, requests: int, bar: "tqdm[Any]") -> list[dict[str, Any]]:
    """Return the memory of the worker at each tenth of a long run of refresh and me."""
    endpoints: list[Endpoint] = [refresh(subject.system), me(subject.system)]
    found = []
    for part in range(11):
        found.append({"requests": part * requests // 10, **subject.main_server.memory()})
        for number in range(20 if part < 10 else 0):
            subject.refresh_tokens()  # access tokens are valid for 30 s
            done = load.run(subject.main_server.port, endpoints[number % 2], subject.refresh_users, requests // 200, 25)
            done.raise_for_errors("endurance")
            bar.set_postfix_str(f"{part * 10 + number // 2} %")
    bar.set_postfix_str("")
    return found
