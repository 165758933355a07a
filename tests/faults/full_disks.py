"""Two kinds of a full disk for an SQLite file: no space left on the device, or a limit on the size of files."""

import os
import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.server import Server


def checkpoint_wal(server: Server) -> None:
    """Move the write-ahead log of SQLite into its file, so that the next write needs space."""
    connection = sqlite3.connect(Path(server.environment["LATCHKEY_DATA_DIR"]) / "latchkey.sqlite3", timeout=10)
    try:
        while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            pass
    finally:
        connection.close()


@contextmanager
def mount_small_disk(folder: Path) -> Iterator[None]:
    """Mount a tmpfs of 4 MB on a folder, which requires root."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "latchkey-tests", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def no_space(server: Server) -> Iterator[None]:
    """Fill the file system of the data folder."""
    checkpoint_wal(server)
    with full(Path(server.environment["LATCHKEY_DATA_DIR"])):
        yield


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Fill the file system of a folder to the last byte."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:  # full, which was the point
            yield
    filler.unlink()


@contextmanager
def no_growth(server: Server) -> Iterator[None]:
    """Set RLIMIT_FSIZE of the workers to 0, which forbids every write to a file as a quota does."""
    unlimited = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in server.worker_pids()}
    for pid, (_, hard) in unlimited.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    yield
    for pid, limits in unlimited.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def can_mount(folder: Path) -> bool:
    try:
        with mount_small_disk(folder):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def available_faults() -> list[str]:
    """Return the names of the faults that can be made on this machine."""
    probe = Path(os.environ["LATCHKEY_TESTS_IN"]) / "mounted"
    return ["no_growth", "no_space"] if can_mount(probe) else ["no_growth"]
