"""CPU time, memory and CPU affinity of process trees (Linux)."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES, OTHER_CORES = {CORES[0]}, {CORES[min(1, len(CORES) - 1)]}
"""Cores of the server under test, and of PostgreSQL and the load generator. On a machine with one core all share it."""


def process_tree(pid: int) -> list[int]:
    """Return a process and its descendants."""
    found = [pid]
    for one in found:  # grows during the loop
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            with suppress(OSError):  # the thread has ended
                found += map(int, children.read_text().split())
    return found


def cpu_time_ns(pid: int) -> int:
    """Return the CPU time of a process and its descendants in nanoseconds, including threads that have ended."""
    total = 0
    for one in process_tree(pid):
        with suppress(OSError):  # the process has ended
            total += time.clock_gettime_ns(~one << 3 | 2)  # the clock that clock_getcpuclockid(3) returns
    return total


def children_cpu_time_ns(pid: int) -> int:
    """Return the CPU time of the ended children of a process in nanoseconds: PostgreSQL has one per connection."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> dict[str, float]:
    """Return RSS and PSS in MB of the largest process of the tree, which is the worker."""
    sizes = []
    for one in process_tree(pid):
        lines = [line.split() for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()[1:]]
        kilobytes = {line[0]: int(line[1]) for line in lines}
        sizes.append((kilobytes["Rss:"] / 1024, kilobytes["Pss:"] / 1024))
    rss, pss = max(sizes)
    return {"rss_mb": rss, "pss_mb": pss, "all_pss_mb": sum(pss for _, pss in sizes)}


def set_affinity(pid: int, cores: set[int]) -> None:
    """Pin all threads of a process and its descendants to these cores."""
    for one in process_tree(pid):
        for thread in Path(f"/proc/{one}/task").glob("*"):
            with suppress(OSError):
                os.sched_setaffinity(int(thread.name), cores)


@contextmanager
def cpu_affinity(cores: set[int]) -> Iterator[None]:
    """Start processes on these cores: children inherit the affinity."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
