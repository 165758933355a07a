"""Read the users of a file."""

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from django.core.exceptions import ImproperlyConfigured

from latchkey.import_export.csv_format import columns, rows
from latchkey.import_export.jsonl_format import objects
from latchkey.import_export.source_lines import Found, Line, lines_of


def read_file(file: BinaryIO, form: str, start: int) -> Iterator[Found]:
    """Return the records from this line on; raises ImproperlyConfigured where the first line is not as it must be."""
    lines = lines_of(file)
    head = next(lines, Line(1, complaint="The file is empty."))
    if head.complaint:
        raise ImproperlyConfigured(f"The first line cannot be read. {head.complaint}")
    if form == "csv":
        return rows(columns(head), _from(start, lines))
    return objects(_from(start, chain([head], lines)))


def _from(start: int, lines: Iterator[Line]) -> Iterator[Line]:
    return (line for line in lines if line.number >= start)
