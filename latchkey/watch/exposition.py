"""All that is measured, as Prometheus reads it."""

from collections.abc import Callable, Iterator
from pathlib import Path

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


class Live(Collector):
    """The live sessions, counted when somebody asks; left out where they could not be."""

    def __init__(self, count: Callable[[], float | None]) -> None:
        self.count = count

    def collect(self) -> Iterator[Metric]:
        number = self.count()
        if number is not None:
            yield GaugeMetricFamily("latchkey_live_sessions", "Sessions that sign somebody in.", number)


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


def exposition(accept: str, live: Callable[[], float | None]) -> tuple[bytes, str]:
    """Return the numbers of all workers, and the content type that was negotiated."""
    encode, content_type = choose_encoder(accept)
    registry = CollectorRegistry()
    registry.register(Live(live))
    registry.register(Workers(Shared.folder) if Shared.folder else REGISTRY)
    return encode(registry), content_type
