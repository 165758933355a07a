"""A run over described servers: all are up, and are measured in turns, so that a slow minute affects all of them."""

import os
import secrets
from collections import defaultdict
from typing import Any

from tqdm import tqdm

from bench import correctness, endpoints
from bench.beside.description import ServerTable
from bench.beside.subject import RunningSubject
from bench.database import growth_per_1000
from bench.endpoints import Endpoint
from bench.measurement import Figures, MeasurementLimits, combine, measure
from bench.profiles import Profile
from bench.progress import Progress
from bench.report import machine

OWN_PARTS = ("Django", "granian")
"""Versions in this environment, which the servers of the file do not run in."""


def run_beside(servers: list[ServerTable], size: Profile, quick: bool) -> dict[str, Any]:
    """Measure the servers; return the results, with the reasons of those that failed.

    CPU is in µs per request, latency in ms, growth per 1,000 refreshes. Nothing is started, stopped or pinned to a
    core.
    """
    described = {name: value for name, value in machine.describe_machine().items() if name not in OWN_PARTS}
    subjects = [RunningSubject(server, secrets.token_hex(4)) for server in servers]
    steps = sum(
        2 + (1 + subject.system.refreshes + (subject.table.me is not None)) * size.repetitions for subject in subjects
    )
    with tqdm(total=steps, unit="step", mininterval=0.5) as bar:
        run = RunBeside(subjects, size, Progress(bar))
        run.measure()
        bar.set_description("done")
    return {"machine": described, "quick": quick, **run.results()}


class RunBeside:
    """A run over these servers, with the results so far."""

    def __init__(self, subjects: list[RunningSubject], size: Profile, progress: Progress) -> None:
        self.subjects, self.size, self.progress = subjects, size, progress
        self.samples: defaultdict[str, defaultdict[str, list[Figures]]] = defaultdict(lambda: defaultdict(list))
        self.extra_results: defaultdict[str, dict[str, Any]] = defaultdict(dict)

    def measure(self) -> None:
        for subject in self.going():
            with self.progress.step(subject.system.name, "accounts"):
                subject.start()
        amount = MeasurementLimits(self.size.warm_up, self.size.requests, self.size.seconds)
        logins = MeasurementLimits(self.size.logins // 10, self.size.logins, self.size.seconds * 2)
        for _ in range(self.size.repetitions):
            for subject in self.going():
                if subject.system.refreshes:
                    self.sample(subject, endpoints.refresh(subject.system), amount)
            for subject in self.going():
                if subject.table.me is not None:
                    self.sample(subject, endpoints.me(subject.system), amount)
            for subject in self.going():
                self.sample(subject, endpoints.login(subject.system), logins)
        for subject in self.going():
            with self.progress.step(subject.system.name, "parallel refreshes"):
                self.measure_once(subject)

    def going(self) -> list[RunningSubject]:
        """Return the servers that have not failed."""
        return [subject for subject in self.subjects if subject.system.name not in self.progress.failed]

    def sample(self, subject: RunningSubject, endpoint: Endpoint, limits: MeasurementLimits) -> None:
        """Measure one endpoint of one server once."""
        name = subject.system.name
        with self.progress.step(name, endpoint.name):
            people = subject.login_users if endpoint.name == "login" else subject.refresh_users
            if endpoint.name == "me":
                subject.refresh_tokens()  # access tokens may have expired meanwhile
            before = subject.database_counters()
            sample = measure(subject.main_server, subject.database_cpu, endpoint, people, limits)
            if not subject.database_pids:
                del sample["database_cpu_us"]
            if endpoint.name == "refresh":
                requests = int(sample["requests"] + sample["warm_up"])
                sample |= growth_per_1000(before, subject.database_counters(), requests)
            self.samples[name][endpoint.name].append(sample)

    def measure_once(self, subject: RunningSubject) -> None:
        """Send the parallel refreshes, if the server rotates, and read the memory, if this user may."""
        found = self.extra_results[subject.system.name]
        if subject.system.refreshes and subject.system.rotates and subject.table.me is not None:
            found["correctness"] = correctness.run_rounds(subject, self.size.rounds)
        found["cores"] = sorted({core for pid in subject.main_server.pids for core in os.sched_getaffinity(pid)})
        try:
            found["memory"] = subject.main_server.memory()
        except PermissionError:  # a process of another user
            self.progress.bar.write(f"{subject.system.name}: the memory of its processes may not be read")

    def results(self) -> dict[str, Any]:
        """Return the results so far."""
        systems = {
            subject.system.name: {
                "title": subject.system.title,
                "rotates": subject.system.rotates,
                "endpoints": {name: combine(samples) for name, samples in self.samples[subject.system.name].items()},
                **self.extra_results[subject.system.name],
            }
            for subject in self.subjects
        }
        return {"systems": systems, "unavailable": self.progress.unavailable, "failed": self.progress.failed}
