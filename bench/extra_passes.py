"""Passes of their own: SQL round trips, two workers against pgbench, a flood of sign-ins, many requests."""

import re
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

from bench import load, processes
from bench.database import Cluster
from bench.endpoints import Endpoint, login, me, refresh
from bench.limits import pgbench
from bench.round_trips import CountingProxy
from bench.server import BenchmarkError
from bench.system_under_test import SystemUnderTest, make_people

COUNTED_REQUESTS, PARALLEL_CLIENTS = 50, 64
WARM_UP_REQUESTS = 40  # for each of the server's threads has a connection that has to settle


def round_trips(subject: SystemUnderTest) -> dict[str, float]:
    """Return the round trips to the database of one request, with one open connection."""
    proxy, system = CountingProxy(subject.database.port), subject.system
    server = subject.serve(cheap=True, database_port=proxy.port)
    people = subject.cheap_login_users[:20]  # so many that nobody has more devices than are kept
    doors = [login(system, "login"), *([refresh(system)] if system.refreshes else []), me(system)]
    counted = {}
    for door in doors:
        load.run(server.port, door, people, WARM_UP_REQUESTS, 10, connections=1).raise_for_errors(door.name)
        before = proxy.count
        done = load.run(server.port, door, people, COUNTED_REQUESTS, 10, connections=1)
        done.raise_for_errors(door.name)
        counted[door.name] = (proxy.count - before) / done.requests
    server.stop()
    proxy.close()
    return counted


def two_workers(subject: SystemUnderTest, cluster: Cluster, turns: int, seconds: float) -> dict[str, float]:
    """Return the refreshes per second of two workers, and pgbench's of the same statement, on all cores alike.

    Both have 64 clients, which keep them busy: with 16 the workers waited, with 8 pgbench did.
    """
    everywhere, crowd = set(processes.CORES), make_people("crowd", PARALLEL_CLIENTS)
    pgbench.insert_sessions(subject.database)
    script, rates = pgbench.write_script(cluster.postgres.folder), []
    processes.set_affinity(cluster.pid, everywhere)
    with processes.cpu_affinity(everywhere):
        server = subject.serve(cores=everywhere, workers=2)
        subject.sign_up(server, crowd, cheap=False)
        subject.sign_in(server, crowd)
        door = refresh(subject.system)
        load.run(server.port, door, crowd, 2_000, seconds, connections=len(crowd)).raise_for_errors("two workers")
        for _ in range(turns):
            database = pgbench.measure(cluster, subject.database, script, seconds, PARALLEL_CLIENTS)
            done = load.run(server.port, door, crowd, 1_000_000, seconds, connections=len(crowd))
            done.raise_for_errors("two workers")
            rates.append((done.rate, database))
        server.stop()
    processes.set_affinity(cluster.pid, processes.OTHER_CORES)
    return {"rate": median(one for one, _ in rates), "pgbench": median(other for _, other in rates)}


def flood() -> dict[str, float]:
    """Run bench.flood; return how many times their unloaded p99 refresh and me take beside 64 sign-ins."""
    command = [sys.executable, "-m", "bench.flood", "postgresql", "--seconds", "10"]
    folder = Path(__file__).resolve().parents[1]
    with processes.cpu_affinity(set(processes.CORES)):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=False)
    times = re.findall(r"^(\w+): beside .* which is ([\d.]+) times$", done.stdout, re.MULTILINE)
    if done.returncode > 1 or len(times) != 2 or "refused besides: nothing" not in done.stdout:
        raise BenchmarkError(f"bench.flood: {(done.stdout + done.stderr)[-300:]}")
    return {door: float(value) for door, value in times}


def endurance(subject: SystemUnderTest, requests: int, bar: tqdm) -> list[dict[str, Any]]:
    """Return the worker's memory at eleven times of a long run of refreshes and requests for the own record."""
    doors: list[Endpoint] = [refresh(subject.system), me(subject.system)]
    found = []
    for part in range(11):
        found.append({"requests": part * requests // 10, **subject.main_server.memory()})
        for number in range(20 if part < 10 else 0):
            subject.refresh_tokens()  # access tokens live for half a minute
            done = load.run(subject.main_server.port, doors[number % 2], subject.refresh_users, requests // 200, 25)
            done.raise_for_errors("endurance")
            bar.set_postfix_str(f"{part * 10 + number // 2} %")
    bar.set_postfix_str("")
    return found
