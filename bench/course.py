"""The run: everything is started once and measured in turns, so that a slow minute of the machine hits all alike."""

import os
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

from bench import beside, correctness, doors, environments, processes
from bench.database import Cluster, grown
from bench.limits import argon2id, servers
from bench.measuring import Amount, Figures, combined, measure
from bench.progress import Progress
from bench.sizes import Size
from bench.subject import Subject
from bench.system import System


class Course:
    """One run over these systems, and its results as they come."""

    def __init__(self, stack: ExitStack, folder: Path, systems: list[System], size: Size, bar: tqdm) -> None:
        self.stack, self.folder, self.size, self.progress = stack, folder, size, Progress(bar)
        self.step = self.progress.step
        self.cluster = Cluster(folder / "postgresql")
        stack.callback(self.cluster.stop)
        self.subjects: list[Subject] = []
        self.samples: defaultdict[tuple[str, str], list[Figures]] = defaultdict(list)
        self.found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        self.prepare(systems)

    def prepare(self, systems: list[System]) -> None:
        """Make the tables of all, then start them one by one: boots are measured alone."""
        self.limits = servers.serve(self.stack, self.cluster.fresh("limits"), self.folder)
        self.progress.bar.set_description("environments and tables")
        with ThreadPoolExecutor(len(processes.CORES)) as pool:
            made = {system.name: pool.submit(self.make, system) for system in systems}
        os.sched_setaffinity(0, processes.REST)
        for name, subject in made.items():
            with self.step(name, "start"):
                self.stack.callback(subject.result().stop)
                subject.result().start()
                self.subjects.append(subject.result())

    def make(self, system: System) -> Subject:
        python = environments.python_of(system)
        subject = Subject(system, python, self.cluster.fresh(system.name), self.folder / system.name, self.size)
        subject.make_tables()
        return subject

    def of_each(self, what: str, act: Callable[[Subject], None]) -> None:
        for subject in self.subjects:
            if subject.system.name not in self.progress.failed:
                with self.step(subject.system.name, what):
                    act(subject)

    def turn(self) -> None:
        """Measure everything once."""
        amount = Amount(self.size.warm_up, self.size.requests, self.size.seconds)
        for running, limit_doors in self.limits:
            for door in limit_doors:
                with self.step("limits", door.name):
                    sample = measure(running, self.database, door, servers.NOBODY, amount)
                    self.samples["limits", door.name].append(sample)
        for library in argon2id.LIBRARIES:
            name = f"raw Argon2id loop, {library}"
            with self.step("limits", name):
                self.samples["limits", name].append(argon2id.measure(library, self.size.seconds))
        self.of_each("refresh", self.refresh)
        self.of_each("me", self.me)
        self.of_each("login", self.logins)

    def database(self) -> int:
        return processes.computed(self.cluster.pid) + processes.reaped(self.cluster.pid)

    def refresh(self, subject: Subject) -> None:
        if subject.system.refreshes:
            name, amount = subject.system.name, Amount(self.size.warm_up, self.size.requests, self.size.seconds)
            before = subject.database.counters()
            sample = measure(subject.main, self.database, subject.refresh, subject.followers, amount)
            sample |= grown(before, subject.database.counters(), int(sample["requests"] + sample["warm_up"]))
            self.samples[name, "refresh"].append(sample)

    def me(self, subject: Subject) -> None:
        amount = Amount(self.size.warm_up, self.size.requests, self.size.seconds)
        subject.renew()
        door = doors.me(subject.system)
        sample = measure(subject.main, self.database, door, subject.followers, amount)
        self.samples[subject.system.name, "me"].append(sample)

    def logins(self, subject: Subject) -> None:
        """Sign in with the hash, and with the cheap one: few times each, for a user has few devices."""
        name, cheap = subject.system.name, Amount(self.size.warm_up // 10, self.size.requests // 10, self.size.seconds)
        dear = Amount(self.size.logins // 10, self.size.logins, self.size.seconds * 2)
        sample = measure(subject.main, self.database, subject.login, subject.signers, dear)
        self.samples[name, "login"].append(sample)
        sample = measure(subject.cheap, self.database, subject.cheap_login, subject.cheap_signers, cheap)
        self.samples[name, "login without the hash"].append(sample)

    def parallel_refreshes(self, subject: Subject) -> None:
        if subject.system.refreshes:
            self.found[subject.system.name]["correctness"] = correctness.rounds(subject, self.size.rounds)

    def round_trips(self, subject: Subject) -> None:
        self.found[subject.system.name]["round_trips"] = beside.round_trips(subject)

    def memory(self, subject: Subject) -> None:
        self.found[subject.system.name]["memory"] = subject.main.memory()

    def results(self) -> dict[str, Any]:
        """Return all there is so far."""
        figures: defaultdict[str, dict[str, Figures]] = defaultdict(dict)
        for (name, door), samples in self.samples.items():
            figures[name][door] = combined(samples)
        systems = {
            subject.system.name: {
                "title": subject.system.title,
                "rotates": subject.system.rotates,
                "boot_seconds": median(subject.boot_seconds),
                "doors": figures[subject.system.name],
                **self.found[subject.system.name],
            }
            for subject in self.subjects
        }
        fallen = {"left_out": self.progress.left_out, "failed": self.progress.failed}
        return {"limits": figures["limits"], "systems": systems, **fallen, **self.found["whole"]}
