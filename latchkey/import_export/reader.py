"""Reader of a file of users, in CSV or JSON lines, from any line on."""

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from django.core.exceptions import ImproperlyConfigured

from latchkey.import_export.csv_format import read_header, read_rows
from latchkey.import_export.jsonl_format import read_objects
from latchkey.import_export.source_lines import NumberedLine, SourceRecord, read_lines


def read_file(file: BinaryIO, form: str, start: int) -> Iterator[SourceRecord]:
    """Return the records from line `start` on; raises ImproperlyConfigured if the first line is not as it must be."""
    lines = read_lines(file)
    head = next(lines, NumberedLine(1, error="The file is empty."))
    if head.error:
        raise ImproperlyConfigured(f"The first line cannot be read. {head.error}")
    if form == "csv":
        return read_rows(read_header(head, lines), _skip_to(start, lines))
    return read_objects(_skip_to(start, chain([head], lines)))


def _skip_to(start: int, lines: Iterator[NumberedLine]) -> Iterator[NumberedLine]:
    return (line for line in lines if line.number >= start)
