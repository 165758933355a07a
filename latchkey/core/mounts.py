"""Which file system a path is on, as Linux tells it."""

import re
from pathlib import Path

OVER_THE_NETWORK = re.compile(
    r"(fuse\.)?(nfs\d?|cifs|smb\d?|smbfs|9p|afs|ceph|ceph-fuse|glusterfs|lustre|beegfs|sshfs)"
)
"""Types of file systems that several machines can share, on which SQLite's locks and its WAL cannot be relied upon."""


def mounted() -> str:
    """Return the table of mounts, empty where there is none to read (not on Linux)."""
    table = Path("/proc/self/mounts")
    return table.read_text(errors="replace") if table.exists() else ""


def network_file_system(path: Path, mounts: str) -> str:
    """Return the type of the network file system that a path is on, by this table of mounts; empty if it is on none."""
    deepest, found = -1, ""
    for line in mounts.splitlines():
        point, kind = (re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), word) for word in line.split()[1:3])
        if path.is_relative_to(point) and len(point) >= deepest:  # of two on one point, the later one hides the other
            deepest, found = len(point), kind
    return found if OVER_THE_NETWORK.fullmatch(found) else ""
