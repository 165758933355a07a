"""Metric values in memory-mapped files that all workers can read (prometheus-client's multiprocess format).

Counters survive the worker that counted, and any worker can answer a scrape for all. prometheus-client's own classes
are not used because they take twice the function calls per increment, and read their directory from the environment
before the first import (docs/decisions/0012).
"""

import errno
import os
from array import array
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import structlog
from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict, mmap_key

CUMULATIVE_TYPES = ("counter", "histogram")
"""Metrics that must not decrease when a worker dies (OpenMetrics); a gauge ends with its process."""

INITIAL_SIZE = 1 << 16
"""Bytes of a new file, as the library has it."""

ENTRY_OVERHEAD = 32
"""Bytes of an entry besides its key: length, padding, value and timestamp, at most."""

_lock = Lock()


_is_logged = False
log = structlog.get_logger(__name__)


class MetricFile(MmapedDict):
    """A memory-mapped file of metric values. When it grows it is mapped again; older views show the same bytes.

    Its space on the disk is allocated before it is mapped, which raises OSError if the disk is full. The kernel would
    end the process (SIGBUS) that writes to a page for which there is no space.
    """

    def __init__(self, filename: str) -> None:
        with Path(filename).open("a+b") as file:
            allocate(file.fileno(), max(os.fstat(file.fileno()).st_size, INITIAL_SIZE))
        super().__init__(filename)

    def _init_value(self, key: str) -> None:
        """Add a key; the file grows as in the library, which doubles it."""
        if self._used + len(key.encode()) + ENTRY_OVERHEAD > self._capacity:
            allocate(self._f.fileno(), 2 * self._capacity)
        super()._init_value(key)

    def slot(self, key: str) -> tuple["memoryview[float]", int]:
        """Return the buffer and the index of a key's value, which continues from the value of a former process."""
        self.read_value(key)
        return memoryview(self._m).cast("d"), self._positions[key] // 8


class MmapValue:
    """One metric value in a memory-mapped file; implements prometheus-client's ValueClass."""

    def __init__(  # noqa: PLR0913, PLR0917 - prometheus-client's signature
        self,
        files: dict[str, MetricFile],
        folder: Path,
        kind: str,
        metric: str,
        name: str,
        label_names: list[str],
        labels: list[str],
        help_text: str,
        multiprocess_mode: str = "",
        **kwargs: Any,
    ) -> None:
        kind = f"gauge_{multiprocess_mode}" if kind == "gauge" else kind
        with _lock:
            try:
                if kind not in files:
                    files[kind] = open_metric_file(folder / f"{kind}_{os.getpid()}.db")
                self.buffer, self.index = files[kind].slot(mmap_key(metric, name, label_names, labels, help_text))
            except OSError as error:
                self.buffer, self.index = private_slot(error)

    def inc(self, amount: float) -> None:
        with _lock:
            self.buffer[self.index] += amount

    def set(self, value: float, timestamp: float | None = None) -> None:
        self.buffer[self.index] = value

    def get(self) -> float:
        return self.buffer[self.index]

    def get_exemplar(self) -> None:
        """Return None: exemplars are not supported in multiprocess mode, as in prometheus-client."""


def open_metric_file(path: Path) -> MetricFile:
    """Open or create a metric file; raises OSError if the disk is full.

    A new one is renamed into place when complete: a scrape may read it at any time.
    """
    if path.exists():
        return MetricFile(str(path))
    draft = path.with_suffix(".draft")
    try:
        metric_file = MetricFile(str(draft))
        draft.rename(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return metric_file


def allocate(descriptor: int, size: int) -> None:
    """Allocate this many bytes of a file on the disk; raises OSError if it is full. macOS has no such call."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)


def private_slot(error: OSError) -> tuple["memoryview[float]", int]:
    """Return a place in the memory of this process alone, for a value that found no space on the disk.

    It is missing in scrapes until the worker is started again: metrics are given up rather than the worker.
    """
    global _is_logged  # noqa: PLW0603 - once in a process
    if not _is_logged:
        _is_logged = True
        log.error("metrics.disk_full", error=errno.errorcode.get(error.errno or 0, ""))
    return memoryview(array("d", [0.0])), 0


def enable(folder: Path) -> None:
    """Store the metrics of this process, a worker that has just started, in files of this directory."""
    remove_dead_gauges(folder)
    for kind in CUMULATIVE_TYPES:
        adopt_dead_worker_file(folder, kind)
    values.ValueClass = partial(MmapValue, {}, folder)


def adopt_dead_worker_file(folder: Path, kind: str) -> None:
    """Take over the file of a dead worker, so that its counts continue and there are never more files than workers."""
    for file in files_of_dead_workers(folder, kind):
        with suppress(FileNotFoundError):  # another worker took it first
            file.rename(file.with_name(f"{kind}_{os.getpid()}.db"))
            return


def remove_dead_gauges(folder: Path) -> None:
    """Delete the gauge files of dead workers."""
    for file in files_of_dead_workers(folder, "gauge_live*"):
        file.unlink(missing_ok=True)  # as prometheus-client's mark_process_dead does


def files_of_dead_workers(folder: Path, kind: str) -> Iterator[Path]:
    """Return the files of this metric type whose process has ended."""
    for file in folder.glob(f"{kind}_*.db"):
        try:
            os.kill(pid_from(file), 0)
        except (ProcessLookupError, PermissionError):  # PermissionError: the pid is another user's process by now
            yield file


def pid_from(file: Path) -> int:
    """Return the process id in a file name such as counter_123.db."""
    return int(file.stem.rpartition("_")[2])
