"""Numbers that outlive the process that counts them: each is a cell in a file that every process can read.

The files are those of prometheus-client's multiprocess mode. Its own values take twice the function calls to write, and
are told of their folder by the environment, before the first import.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict, mmap_key

CUMULATIVE_TYPES = ("counter", "histogram")
"""What may never go back, whoever dies; a gauge ends with its process."""

_lock = Lock()


class MetricFile(MmapedDict):
    """A file of cells. When it grows, it is mapped anew; older views go on to show the same bytes."""

    def slot(self, key: str) -> tuple["memoryview[float]", int]:
        """Return where the number of this key is; it goes on where a former process left it."""
        self.read_value(key)
        return memoryview(self._m).cast("d"), self._positions[key] // 8


class MmapValue:
    """A number in a file; prometheus-client's ValueClass."""

    def __init__(  # noqa: PLR0913, PLR0917 - as prometheus-client calls it
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
            if kind not in files:
                files[kind] = open_metric_file(folder / f"{kind}_{os.getpid()}.db")
            self.buffer, self.index = files[kind].slot(mmap_key(metric, name, label_names, labels, help_text))

    def inc(self, amount: float) -> None:
        with _lock:
            self.buffer[self.index] += amount

    def set(self, value: float, timestamp: float | None = None) -> None:
        self.buffer[self.index] = value

    def get(self) -> float:
        return self.buffer[self.index]

    def get_exemplar(self) -> None:
        """Have none, as prometheus-client's own in this mode; it asks when a metric is read in its process."""


def open_metric_file(path: Path) -> MetricFile:
    """Return a file of cells; a new one gets its name when it is whole, as somebody may read it at any time."""
    if path.exists():
        return MetricFile(str(path))
    draft = path.with_suffix(".draft")
    numbers = MetricFile(str(draft))
    draft.rename(path)
    return numbers


def enable(folder: Path) -> None:
    """Have this process, a worker that has just begun, count in files of this folder."""
    remove_dead_gauges(folder)
    for kind in CUMULATIVE_TYPES:
        adopt_dead_worker_file(folder, kind)
    values.ValueClass = partial(MmapValue, {}, folder)


def adopt_dead_worker_file(folder: Path, kind: str) -> None:
    """Go on counting where a dead worker stopped, so that there are never more files than workers."""
    for file in files_of_dead_workers(folder, kind):
        with suppress(FileNotFoundError):  # another worker was faster
            file.rename(file.with_name(f"{kind}_{os.getpid()}.db"))
            return


def remove_dead_gauges(folder: Path) -> None:
    """Delete the gauges of dead workers."""
    for file in files_of_dead_workers(folder, "gauge_live*"):
        file.unlink(missing_ok=True)  # as prometheus-client's mark_process_dead does


def files_of_dead_workers(folder: Path, kind: str) -> Iterator[Path]:
    """Return the files of this kind whose process is no more."""
    for file in folder.glob(f"{kind}_*.db"):
        try:
            os.kill(pid_from(file), 0)
        except (ProcessLookupError, PermissionError):  # the second: its number is another user's process by now
            yield file


def pid_from(file: Path) -> int:
    return int(file.stem.rpartition("_")[2])
