"""Have a worker be watched, from its first request on."""

import asyncio
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from latchkey.audit.events import Event
from latchkey.core import metrics
from latchkey.core.pool import Pool
from latchkey.watch.address import answer_at, listening
from latchkey.watch.exposition import Shared
from latchkey.watch.sample import Sample
from latchkey.watch.views import OwnAddress


@dataclass(frozen=True, slots=True)
class Watch:
    """What all workers of a server have in common: a folder to count in, and the socket of the own address."""

    folder: Path
    listener: socket.socket | None


def own_address() -> socket.socket | None:
    """Open the socket of LATCHKEY_METRICS_ADDRESS, where it is set; raises ImproperlyConfigured."""
    return listening(*settings.METRICS_ADDRESS) if settings.METRICS_ADDRESS else None


@contextmanager
def watching(listener: socket.socket | None) -> Iterator[Watch]:
    """Make the folder, and take it away at the end; raises ImproperlyConfigured.

    In the folder for temporary files, or in the data directory where that is all that can be written to.
    """
    try:
        folder = TemporaryDirectory(prefix="latchkey-metrics-", ignore_cleanup_errors=True)
    except OSError:
        folder = _in_the_data_directory()
    with folder as path:
        yield Watch(Path(path), listener)


def _in_the_data_directory() -> "TemporaryDirectory[str]":
    try:
        return TemporaryDirectory(prefix="latchkey-metrics-", dir=settings.DATA_DIR, ignore_cleanup_errors=True)
    except OSError as error:
        raise ImproperlyConfigured(
            "There is no folder for temporary files that can be written to; set TMPDIR to one."
        ) from error


def count_in(watch: Watch) -> None:
    """Have this process, a worker that has just begun, count in the folder of all."""
    Shared.folder = watch.folder
    metrics.share_in(watch.folder)
    for event in Event:
        metrics.EVENTS.labels(event.value)  # from 0 on: what is seen for the first time at 1 has no rate


def be_watched(watch: Watch, pools: Mapping[str, Pool], loop: asyncio.AbstractEventLoop) -> None:
    """Begin to say how this worker is, and to answer at the own address."""
    Thread(target=Sample(pools).keep_writing, daemon=True).start()
    if watch.listener:
        answer_at(watch.listener, OwnAddress(loop))
