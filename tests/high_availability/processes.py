"""Processes by their working directory, read from /proc: those of a machine, and the owner of a connection."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def processes_in(folder: Path) -> list[int]:
    """Return the process ids of all processes that work in this folder or below it."""
    return [pid for pid, working in _working_directories() if working.is_relative_to(folder)]


def owner_of_port(port: int, attempts: int = 20) -> Path:
    """Return the working directory of the process whose end of a connection on 127.0.0.1 has this port.

    The kernel's table of connections is read in parts, so that an entry can be missed while others come and go. Raises
    LookupError if there is none.
    """
    for _ in range(attempts):
        if owner := _find_owner(port):
            return owner
        time.sleep(0.05)
    raise LookupError(port)


def _find_owner(port: int) -> Path | None:
    local = f"0100007F:{port:04X}"
    rows = (row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:])
    inodes = {f"socket:[{row[9]}]" for row in rows if row[1] == local}
    for pid, working in _working_directories():
        with suppress(OSError):  # it has ended
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    if str(descriptor.readlink()) in inodes:
                        return working
    return None


def _working_directories() -> Iterator[tuple[int, Path]]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            yield int(process.name), (process / "cwd").readlink()
