"""Where users are read from."""

import sys
from pathlib import Path
from typing import BinaryIO

from django.core.exceptions import ImproperlyConfigured

FORMATS = ("csv", "jsonl")
SUFFIXES = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
STANDARD = "-"


def form_of(file: str, form: str | None) -> str:
    """Return the format, by the name of the file where none is given; raises ImproperlyConfigured."""
    form = form or SUFFIXES.get(Path(file).suffix.lower())
    if form is None:
        raise ImproperlyConfigured(f"The name {file!r} does not say the format; add --format csv or --format jsonl.")
    return form


def opened(file: str) -> BinaryIO:
    """Open a file, or standard input; raises ImproperlyConfigured."""
    try:
        return sys.stdin.buffer if file == STANDARD else Path(file).open("rb")
    except OSError as error:
        raise ImproperlyConfigured(f"{file!r} cannot be read: {error.strerror}.") from error


def lines_in(source: BinaryIO) -> int | None:
    """Count the lines of a file that can be read twice."""
    if not source.seekable():
        return None
    count = sum(part.count(b"\n") for part in iter(lambda: source.read(1 << 20), b""))
    source.seek(0)
    return count
