"""What the main process makes for all workers: the folder that they count in, and the socket of the own address.

Nothing here needs Django's models: where workers are not forked, this is unpickled before they are set up.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from latchkey.metrics_server.listener import listen

PREFIX, LOCK = "latchkey-metrics-", "lock"


@dataclass(frozen=True, slots=True)
class MetricsContext:
    """What all workers of a server have in common: a folder to count in, and the socket of the own address."""

    directory: Path
    listener: socket.socket | None


def open_metrics_socket() -> socket.socket | None:
    """Open the socket of LATCHKEY_METRICS_ADDRESS, where it is set; raises ImproperlyConfigured."""
    return listen(*settings.METRICS_ADDRESS) if settings.METRICS_ADDRESS else None


@contextmanager
def shared_directory(listener: socket.socket | None) -> Iterator[MetricsContext]:
    """Make the folder, and take it away at the end; raises ImproperlyConfigured.

    In the folder for temporary files, or in the data directory where that is all that can be written to. A server that
    was killed leaves its folder behind, and the next one that starts takes it away.
    """
    try:
        folder = TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
    except OSError:
        folder = _create_in_data_directory()
    with folder as name, Path(name, LOCK).open("wb") as lock:
        flock(lock, LOCK_EX | LOCK_NB)  # the workers inherit it: while one of them lives, the folder is in use
        path = Path(name)
        _remove_stale(path.parent)
        yield MetricsContext(path, listener)


def _create_in_data_directory() -> "TemporaryDirectory[str]":
    try:
        return TemporaryDirectory(prefix=PREFIX, dir=settings.DATA_DIR, ignore_cleanup_errors=True)
    except OSError as error:
        raise ImproperlyConfigured(
            "There is no folder for temporary files that can be written to; set TMPDIR to one."
        ) from error


def _remove_stale(parent: Path) -> None:
    """Remove the folders whose lock nobody holds; those of other users and of other servers are left alone."""
    for lock in parent.glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError), open(lock, "rb", opener=_open_nofollow) as opened:
            flock(opened, LOCK_EX | LOCK_NB)
            rmtree(lock.parent, ignore_errors=True)


def _open_nofollow(path: str, flags: int) -> int:
    """Open what anybody may have put there: neither a link, nor a pipe that one would wait at."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
