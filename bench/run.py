"""A benchmark run: all systems are started once and measured in turns, so that a slow minute affects all of them."""

import os
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

from bench import correctness, endpoints, environments, extra_passes, processes
from bench.adapter import Adapter
from bench.database import Cluster, growth_per_1000
from bench.limits import argon2id, servers
from bench.measurement import Figures, MeasurementLimits, combine, measure
from bench.profiles import Profile
from bench.progress import Progress
from bench.system_under_test import SystemUnderTest


class BenchmarkRun:
    """A run over these systems, with the results so far."""

    def __init__(self, stack: ExitStack, folder: Path, systems: list[Adapter], size: Profile, bar: "tqdm[Any]") -> None:
        self.stack, self.folder, self.size, self.progress = stack, folder, size, Progress(bar)
        self.step = self.progress.step
        self.cluster = Cluster(folder / "postgresql")
        stack.callback(self.cluster.stop)
        self.subjects: list[SystemUnderTest] = []
        self.samples: defaultdict[tuple[str, str], list[Figures]] = defaultdict(list)
        self.extra_results: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        self.start_systems(systems)

    def start_systems(self, systems: list[Adapter]) -> None:
        """Create the tables of all systems in parallel, then start one after the other to measure its boot time."""
        self.limits = servers.serve(self.stack, self.cluster.create_database("limits"), self.folder)
        self.progress.bar.set_description("environments and tables")
        with ThreadPoolExecutor(len(processes.CORES)) as pool:
            made = {system.name: pool.submit(self.prepare_system, system) for system in systems}
        os.sched_setaffinity(0, processes.OTHER_CORES)
        for name, subject in made.items():
            with self.step(name, "start"):
                self.stack.callback(subject.result().stop)
                subject.result().start()
                self.subjects.append(subject.result())

    def prepare_system(self, system: Adapter) -> SystemUnderTest:
        python = environments.ensure_environment(system)
        subject = SystemUnderTest(
            system, python, self.cluster.create_database(system.name), self.folder / system.name, self.size
        )
        subject.make_tables()
        return subject

    def for_each_system(self, what: str, act: Callable[[SystemUnderTest], None]) -> None:
        for subject in self.subjects:
            if subject.system.name not in self.progress.failed:
                with self.step(subject.system.name, what):
                    act(subject)

    def measure_turn(self) -> None:
        """Measure the upper limits and all systems once."""
        amount = MeasurementLimits(self.size.warm_up, self.size.requests, self.size.seconds)
        for running, limit_endpoints in self.limits:
            for endpoint in limit_endpoints:
                with self.step("limits", endpoint.name):
                    sample = measure(running, self.database_cpu, endpoint, servers.ANONYMOUS, amount)
                    self.samples["limits", endpoint.name].append(sample)
        for library in argon2id.LIBRARIES:
            name = f"raw Argon2id loop, {library}"
            with self.step("limits", name):
                self.samples["limits", name].append(argon2id.measure(library, self.size.seconds))
        self.for_each_system("refresh", self.refresh)
        self.for_each_system("me", self.me)
        self.for_each_system("login", self.login)

    def database_cpu(self) -> int:
        return processes.cpu_time_ns(self.cluster.pid) + processes.children_cpu_time_ns(self.cluster.pid)

    def refresh(self, subject: SystemUnderTest) -> None:
        if subject.system.refreshes:
            name, amount = (
                subject.system.name,
                MeasurementLimits(self.size.warm_up, self.size.requests, self.size.seconds),
            )
            before = subject.database.counters()
            sample = measure(subject.main_server, self.database_cpu, subject.refresh, subject.refresh_users, amount)
            sample |= growth_per_1000(before, subject.database.counters(), int(sample["requests"] + sample["warm_up"]))
            self.samples[name, "refresh"].append(sample)

    def me(self, subject: SystemUnderTest) -> None:
        amount = MeasurementLimits(self.size.warm_up, self.size.requests, self.size.seconds)
        subject.refresh_tokens()
        endpoint = endpoints.me(subject.system)
        sample = measure(subject.main_server, self.database_cpu, endpoint, subject.refresh_users, amount)
        self.samples[subject.system.name, "me"].append(sample)

    def login(self, subject: SystemUnderTest) -> None:
        """Measure logins with the real hash and with a cheap one; few per user, as sessions per user are limited."""
        name, cheap = (
            subject.system.name,
            MeasurementLimits(self.size.warm_up // 10, self.size.requests // 10, self.size.seconds),
        )
        dear = MeasurementLimits(self.size.logins // 10, self.size.logins, self.size.seconds * 2)
        sample = measure(subject.main_server, self.database_cpu, subject.login, subject.login_users, dear)
        self.samples[name, "login"].append(sample)
        sample = measure(subject.cheap_server, self.database_cpu, subject.cheap_login, subject.cheap_login_users, cheap)
        self.samples[name, "login without the hash"].append(sample)

    def parallel_refreshes(self, subject: SystemUnderTest) -> None:
        if subject.system.refreshes:
            self.extra_results[subject.system.name]["correctness"] = correctness.run_rounds(subject, self.size.rounds)

    def round_trips(self, subject: SystemUnderTest) -> None:
        self.extra_results[subject.system.name]["round_trips"] = extra_passes.round_trips(subject)

    def memory(self, subject: SystemUnderTest) -> None:
        self.extra_results[subject.system.name]["memory"] = subject.main_server.memory()

    def results(self) -> dict[str, Any]:
        """Return the results so far."""
        figures: defaultdict[str, dict[str, Figures]] = defaultdict(dict)
        for (name, endpoint), samples in self.samples.items():
            figures[name][endpoint] = combine(samples)
        systems = {
            subject.system.name: {
                "title": subject.system.title,
                "rotates": subject.system.rotates,
                "boot_seconds": median(subject.boot_seconds),
                "endpoints": figures[subject.system.name],
                **self.extra_results[subject.system.name],
            }
            for subject in self.subjects
        }
        missing = {"unavailable": self.progress.unavailable, "failed": self.progress.failed}
        return {"limits": figures["limits"], "systems": systems, **missing, **self.extra_results["whole"]}
