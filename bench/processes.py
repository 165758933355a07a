"""CPU time, memory and CPU affinity of process trees (Linux)."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES, OTHER_CORES = {CORES[0]}, {CORES[min(1, len(CORES) - 1)]}
"""Cores of the server under test, and of PostgreSQL and the load generator. On a machine with one core all share it."""
LISTEN = "0A"
"""State of a listening socket in /proc/net/tcp (proc(5); TCP_LISTEN of the kernel's tcp_states.h)."""


def process_tree(pid: int) -> list[int]:
    """Return a process and its descendants."""
    found = [pid]
    for one in found:  # grows during the loop
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            with suppress(OSError):  # the thread has ended
                found += map(int, children.read_text().split())
    return found


def topmost(pids: list[int]) -> list[int]:
    """Return these processes without those that descend from another one of them."""
    below = {child for pid in pids for child in process_tree(pid)[1:]}
    return sorted(set(pids) - below)


def processes_of_group(group: int) -> list[int]:
    """Return the processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # the process has ended
            if int(stat.read_text().rpartition(")")[2].split()[2]) == group:
                found.append(int(stat.parent.name))
    return found


def listening_processes(port: int) -> list[int]:
    """Return the processes that have a TCP socket which listens on this port, as far as this user may see them."""
    sockets = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):  # a kernel without IPv6
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                    sockets.add(f"socket:[{fields[9]}]")
    found = []
    for folder in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):  # a process of another user, or one that has ended
            if any(str(descriptor.readlink()) in sockets for descriptor in folder.iterdir()):
                found.append(int(folder.parent.name))
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
