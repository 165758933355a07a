"""Numbered lines of an import file, read as a stream: a bad line is an error of its own and stops no other."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from django.core.exceptions import ImproperlyConfigured

from latchkey.import_export.encodings import open_lines

FORMATS = ("csv", "jsonl")
SUFFIXES = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
STDIO = "-"
"""The file name of standard input and output."""

MAX_LINE_BYTES = 64 * 1024
"""Bytes of a line; the rest of a longer one is skipped without being held in memory."""


@dataclass(frozen=True, slots=True)
class NumberedLine:
    """A line of a file, or the error why it cannot be read."""

    number: int
    text: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A record to import: its values, or the error why there are none.

    name is what an operator finds it by. last is its position: the number of its last line, or of its row in a table.
    """

    name: str
    last: int
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


def detect_format(file: str, form: str | None) -> str:
    """Return the given format, else that of the file's name; raises ImproperlyConfigured."""
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
    """Return the number of lines and rewind the file; None for a pipe, which cannot be read twice."""
    if not source.seekable():
        return None
    lines = open_lines(source)
    count = sum(chunk.count(b"\n") for chunk in iter(lambda: lines.read(1 << 20), b""))
    source.seek(0)
    return count


def read_lines(file: BinaryIO) -> Iterator[NumberedLine]:
    """Yield the lines of a text in any encoding and with any line ends that spreadsheets write."""
    file, number = open_lines(file), 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
            yield NumberedLine(number, error=f"It is longer than {MAX_LINE_BYTES} bytes.")
            continue
        if line.endswith(b"\r\r\n"):  # converted once too often
            line = line.rstrip(b"\r\n") + b"\r\n"
        try:
            yield NumberedLine(number, line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError:
            yield NumberedLine(number, error="It is not UTF-8.")
