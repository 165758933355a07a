"""Where users are written to."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import TextIO


@contextmanager
def whole_file(path: Path, *, overwrite: bool) -> Iterator[TextIO]:
    """Write beside the file (mode 0600), and give it its name at the end; nothing is left of one that was not ended.

    Raises FileExistsError where there is a file already, or something that is none, and what else an OSError can be.
    """
    if path.exists() and not (overwrite and path.is_file()):
        raise FileExistsError(17, "it is there already")
    descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def standard_output() -> Iterator[TextIO]:
    """Keep standard output for the users: what else is said there, such as the log, goes to standard error."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8", newline="") as target:
        os.dup2(2, 1)
        try:
            yield target
        finally:
            os.dup2(target.fileno(), 1)
