"""What the main process makes for all workers: the folder that they count in, and the socket of the own address.

Nothing here needs Django's models: where workers are not forked, this is unpickled before they are set up.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from latchkey.watch.address import listening


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
