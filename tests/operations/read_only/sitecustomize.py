"""Makes everything but the data directory read-only for Python, as in a container with a read-only file system.

Python imports this module at its start. A mount would need privileges that the tests may not have.
"""

import errno
import os
import sys

DATA_DIR = os.path.realpath(os.environ["LATCHKEY_DATA_DIR"])
WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
WRITE_EVENTS = {"os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"}
WRITE_EVENTS |= {"sqlite3.connect", "tempfile.mkdtemp", "tempfile.mkstemp"}


def deny_writes(event: str, arguments: tuple[object, ...]) -> None:
    writes = event in WRITE_EVENTS or (event == "open" and int(str(arguments[2])) & WRITE_FLAGS)
    if writes and isinstance(arguments[0], str | bytes | os.PathLike):
        path = os.path.realpath(os.fsdecode(arguments[0]))
        if not path.startswith((f"{DATA_DIR}/", "/dev/")) and path != DATA_DIR:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)


sys.addaudithook(deny_writes)
