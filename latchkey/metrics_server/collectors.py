"""Prometheus collectors: the metrics of all workers of this node, and gauges that are read from the database.

A scrape is answered by any worker and has the values of all; the database gauges are the same on every node.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from latchkey.mail.queue import queue_size
from latchkey.metrics_server.live_sessions import live_sessions
from latchkey.telemetry.metrics import REGISTRY
from latchkey.telemetry.multiprocess import remove_dead_gauges


class MultiprocessDirectory:
    """The directory of the metric files that the workers of one server share; None if this process counts alone."""

    path: Path | None = None


Gauges: TypeAlias = Mapping[str, tuple[str, float]]
"""Gauges by name, each with its help text and value."""


class DatabaseCollector(Collector):
    """Collector of the database gauges, which are queried at each scrape."""

    def __init__(self, read: Callable[[], Gauges]) -> None:
        self.read = read

    def collect(self) -> Iterator[Metric]:
        for name, (help_text, value) in self.read().items():
            yield GaugeMetricFamily(name, help_text, value)


class WorkersCollector(Collector):
    """Collector of the metric files of all workers: counters are added up, gauges as each one declares."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def collect(self) -> Iterator[Metric]:
        remove_dead_gauges(self.directory)
        files = MultiProcessCollector(None, str(self.directory))
        try:
            metrics = list(files.collect())
        except FileNotFoundError:  # a new worker took over the file of a dead one in between
            metrics = list(files.collect())
        yield from metrics


def exposition(accept: str, read_database: Callable[[], Gauges]) -> tuple[bytes, str]:
    """Return the metrics of all workers, and the content type negotiated with `Accept`: text format or OpenMetrics."""
    encode, content_type = choose_encoder(accept)
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(read_database))
    registry.register(WorkersCollector(MultiprocessDirectory.path) if MultiprocessDirectory.path else REGISTRY)
    return encode(registry), content_type


def database_gauges() -> dict[str, tuple[str, float]]:
    """Return the gauges that are read from the database; raises DatabaseError."""
    queue = queue_size()
    oldest = queue.oldest_age.total_seconds() if queue.oldest_age else 0.0
    return {
        "latchkey_live_sessions": ("Live sessions.", live_sessions()),
        "latchkey_mail_waiting": ("Mails waiting to be sent.", queue.count),
        "latchkey_mail_oldest_seconds": ("Age of the oldest mail waiting to be sent.", oldest),
    }
