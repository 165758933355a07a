"""Resources that the main process creates for all workers: the directory of metric files, and the metrics socket.

No import of Django's models here: if workers are spawned and not forked, this is unpickled before Django is set up.
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
    """What all workers of a server share: the directory of metric files, and the metrics socket (None if not set)."""

    directory: Path
    listener: socket.socket | None


def open_metrics_socket() -> socket.socket | None:
    """Open the socket of LATCHKEY_METRICS_ADDRESS, None if that is not set; raises ImproperlyConfigured."""
    return listen(*settings.METRICS_ADDRESS) if settings.METRICS_ADDRESS else None


@contextmanager
def shared_directory(listener: socket.socket | None) -> Iterator[MetricsContext]:
    """Create the directory of metric files, and delete it at the end; raises ImproperlyConfigured.

    It is in the directory for temporary files, or in the data directory if only that is writable. A killed server
    leaves its directory behind; the next server that starts deletes it.
    """
    try:
        directory = TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
    except OSError:
        directory = _create_in_data_directory()
    with directory as name, Path(name, LOCK).open("wb") as lock:
        flock(lock, LOCK_EX | LOCK_NB)  # workers inherit the lock: while one of them lives, the directory is in use
        path = Path(name)
        _remove_stale(path.parent)
        yield MetricsContext(path, listener)


def _create_in_data_directory() -> "TemporaryDirectory[str]":
    try:
        return TemporaryDirectory(prefix=PREFIX, dir=settings.DATA_DIR, ignore_cleanup_errors=True)
    except OSError as error:
        raise ImproperlyConfigured(
            "No directory for temporary files is writable; set TMPDIR to one that is."
        ) from error


def _remove_stale(parent: Path) -> None:
    """Delete the directories whose lock nobody holds; those of other users and running servers are left alone."""
    for lock in parent.glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError), open(lock, "rb", opener=_open_nofollow) as file:
            flock(file, LOCK_EX | LOCK_NB)
            rmtree(lock.parent, ignore_errors=True)


def _open_nofollow(path: str, flags: int) -> int:
    """Open a file that any user may have created: neither follow a link, nor block on a pipe."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
