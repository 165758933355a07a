"""What processes cost, over a whole tree of them: CPU to the nanosecond, and memory. Linux alone has it all."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES, OTHER_CORES = {CORES[0]}, {CORES[min(1, len(CORES) - 1)]}
"""Where the server under test runs, and where PostgreSQL and the load generator do; on one core all share it."""


def process_tree(pid: int) -> list[int]:
    """Return a process and its descendants."""
    found = [pid]
    for one in found:  # it grows meanwhile
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            with suppress(OSError):  # the thread has just ended
                found += map(int, children.read_text().split())
    return found


def cpu_time_ns(pid: int) -> int:
    """Return the nanoseconds that a process and its descendants have computed, with the threads that have ended."""
    total = 0
    for one in process_tree(pid):
        with suppress(OSError):  # the process has just ended
            total += time.clock_gettime_ns(~one << 3 | 2)  # the clock that clock_getcpuclockid(3) returns
    return total


def children_cpu_time_ns(pid: int) -> int:
    """Return the nanoseconds of the children of a process that have ended: PostgreSQL has one for each connection."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> dict[str, float]:
    """Return the resident and the proportional set size of the tree's largest process, the worker, in MB."""
    sizes = []
    for one in process_tree(pid):
        lines = [line.split() for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()[1:]]
        kilobytes = {line[0]: int(line[1]) for line in lines}
        sizes.append((kilobytes["Rss:"] / 1024, kilobytes["Pss:"] / 1024))
    rss, pss = max(sizes)
    return {"rss_mb": rss, "pss_mb": pss, "all_pss_mb": sum(pss for _, pss in sizes)}


def set_affinity(pid: int, cores: set[int]) -> None:
    """Pin a process and its descendants, with all their threads."""
    for one in process_tree(pid):
        for thread in Path(f"/proc/{one}/task").glob("*"):
            with suppress(OSError):
                os.sched_setaffinity(int(thread.name), cores)


@contextmanager
def cpu_affinity(cores: set[int]) -> Iterator[None]:
    """Have the processes that are started meanwhile begin on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
