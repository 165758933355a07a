"""All that is measured, as Prometheus reads it.

How many mails wait to be sent, and for how long the oldest of them.

What /metrics tells of the database: the same on every node.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from django.db.models import Count, Min
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from latchkey.core import clock
from latchkey.mail.models import Mail
from latchkey.metrics_server.live_sessions import live_sessions
from latchkey.telemetry.metrics import REGISTRY
from latchkey.telemetry.multiprocess import remove_dead_gauges


class MultiprocessDirectory:
    """The folder in which the workers of one server count; without one a process counts for itself."""

    path: Path | None = None


Gauges: TypeAlias = Mapping[str, tuple[str, float]]
"""Gauges by their names, each with what it tells."""


class DatabaseCollector(Collector):
    """The numbers of the database, asked for when somebody asks; left out where they could not be."""

    def __init__(self, ask: Callable[[], Gauges]) -> None:
        self.read = ask

    def collect(self) -> Iterator[Metric]:
        for name, (told, number) in self.read().items():
            yield GaugeMetricFamily(name, told, number)


class WorkersCollector(Collector):
    """What the workers of one server have counted together."""

    def __init__(self, folder: Path) -> None:
        self.directory = folder

    def collect(self) -> Iterator[Metric]:
        remove_dead_gauges(self.directory)
        files = MultiProcessCollector(None, str(self.directory))
        try:
            metrics = list(files.collect())
        except FileNotFoundError:  # a new worker took over the file of a dead one in this very moment
            metrics = list(files.collect())
        yield from metrics


def exposition(accept: str, read_database: Callable[[], Gauges]) -> tuple[bytes, str]:
    """Return the numbers of all workers, and the content type that was negotiated."""
    encode, content_type = choose_encoder(accept)
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(read_database))
    registry.register(WorkersCollector(MultiprocessDirectory.path) if MultiprocessDirectory.path else REGISTRY)
    return encode(registry), content_type


MAX_COUNTED = 10_000
"""Mails at most: a queue as long as that is told of as it is."""


def mail_queue_size() -> tuple[float, float]:
    """Return the number of mails that wait, and the seconds since the oldest was written; raises DatabaseError.

    One statement along the partial index of what waits, which is empty nearly always.
    """
    waiting = Mail.objects.filter(sent_at=None, failed_at=None).order_by("next_attempt_at")[:MAX_COUNTED]
    counted = waiting.aggregate(number=Count("pk"), oldest=Min("created_at"))
    oldest = counted["oldest"]
    return counted["number"], max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0


def database_gauges() -> dict[str, tuple[str, float]]:
    """Return each number by the name of its metric, with what it tells; raises DatabaseError."""
    waiting, oldest = mail_queue_size()
    return {
        "latchkey_live_sessions": ("Sessions that sign somebody in.", live_sessions()),
        "latchkey_mail_waiting": ("Mails that are still to be sent.", waiting),
        "latchkey_mail_oldest_seconds": ("Since the oldest of them was written.", oldest),
    }
