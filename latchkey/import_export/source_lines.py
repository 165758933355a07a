"""Where users are read from.

The lines of a file, numbered: what is wrong with one costs nobody but itself.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from django.core.exceptions import ImproperlyConfigured

FORMATS = ("csv", "jsonl")
SUFFIXES = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
STDIO = "-"


def detect_format(file: str, form: str | None) -> str:
    """Return the format, by the name of the file where none is given; raises ImproperlyConfigured."""
    form = form or SUFFIXES.get(Path(file).suffix.lower())
    if form is None:
        raise ImproperlyConfigured(f"The name {file!r} does not say the format; add --format csv or --format jsonl.")
    return form


def open_source(file: str) -> BinaryIO:
    """Open a file, or standard input; raises ImproperlyConfigured."""
    try:
        return sys.stdin.buffer if file == STDIO else Path(file).open("rb")
    except OSError as error:
        raise ImproperlyConfigured(f"{file!r} cannot be read: {error.strerror}.") from error


def count_lines(source: BinaryIO) -> int | None:
    """Count the lines of a file that can be read twice."""
    if not source.seekable():
        return None
    count = sum(part.count(b"\n") for part in iter(lambda: source.read(1 << 20), b""))
    source.seek(0)
    return count


MAX_LINE_BYTES = 64 * 1024
"""Bytes of one line; the rest of a longer one is passed over without being held."""


@dataclass(frozen=True, slots=True)
class NumberedLine:
    number: int
    text: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One record, by the name that an operator finds it by: its values, or the sentence that says why there are none.

    last is the number of its last line, or how many came before it in a table, and itself.
    """

    name: str
    last: int
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


def read_lines(file: BinaryIO) -> Iterator[NumberedLine]:
    """Read UTF-8, with a byte order mark or without; lines end in LF or in CR LF."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
            yield NumberedLine(number, error=f"It is longer than {MAX_LINE_BYTES} bytes.")
            continue
        try:
            yield NumberedLine(number, line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError:
            yield NumberedLine(number, error="It is not UTF-8.")
