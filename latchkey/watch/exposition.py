"""All that is measured, as Prometheus reads it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from latchkey.core.cells import forget_dead
from latchkey.core.metrics import REGISTRY


class Shared:
    """The folder in which the workers of one server count; without one a process counts for itself."""

    folder: Path | None = None


Numbers: TypeAlias = Mapping[str, tuple[str, float]]
"""Gauges by their names, each with what it tells."""


class Database(Collector):
    """The numbers of the database, asked for when somebody asks; left out where they could not be."""

    def __init__(self, ask: Callable[[], Numbers]) -> None:
        self.ask = ask

    def collect(self) -> Iterator[Metric]:
        for name, (told, number) in self.ask().items():
            yield GaugeMetricFamily(name, told, number)


class Workers(Collector):
    """What the workers of one server have counted together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def collect(self) -> Iterator[Metric]:
        forget_dead(self.folder)
        files = MultiProcessCollector(None, str(self.folder))
        try:
            metrics = list(files.collect())
        except FileNotFoundError:  # a new worker took over the file of a dead one in this very moment
            metrics = list(files.collect())
        yield from metrics


def exposition(accept: str, of_database: Callable[[], Numbers]) -> tuple[bytes, str]:
    """Return the numbers of all workers, and the content type that was negotiated."""
    encode, content_type = choose_encoder(accept)
    registry = CollectorRegistry()
    registry.register(Database(of_database))
    registry.register(Workers(Shared.folder) if Shared.folder else REGISTRY)
    return encode(registry), content_type
