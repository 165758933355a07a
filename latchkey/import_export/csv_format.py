"""Users as CSV (RFC 4180), below a line that names the columns."""

import csv
from collections import deque
from collections.abc import Iterator

from django.core.exceptions import ImproperlyConfigured

from latchkey.import_export.record import IMPORT_FIELDS
from latchkey.import_export.source_lines import NumberedLine, SourceRecord

MAX_RECORD_CHARS = 2_000
"""Characters of a record that goes over several lines: more can only be a quote that was never closed."""

FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "'")
"""What is guarded by an apostrophe at the head of a cell: a spreadsheet then runs nothing (OWASP, CSV Injection)."""


def escape_formula(cell: str) -> str:
    """Return the cell as it is written."""
    return (
        f"'{cell}" if cell[:1] in FORMULA_PREFIXES[:-1] or (cell[:1] == "'" and cell[1:2] in FORMULA_PREFIXES) else cell
    )


def _unescape(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in FORMULA_PREFIXES else cell


def parse_header(head: NumberedLine) -> list[str]:
    """Return the names of the columns; raises ImproperlyConfigured where one is missing, unknown, or there twice."""
    names = [name.strip().lower() for name in _split_cells(head.text) or []]
    if "email" not in names:
        raise ImproperlyConfigured("The first line must name the columns, and 'email' is not among them.")
    if len(set(names)) < len(names):
        raise ImproperlyConfigured("The first line names a column twice.")
    if unknown := set(names) - IMPORT_FIELDS:
        known = ", ".join(sorted(IMPORT_FIELDS))
        raise ImproperlyConfigured(f"There is no column {min(unknown)[:40]!r}; leave it out. There are: {known}.")
    return names


def read_rows(names: list[str], lines: Iterator[NumberedLine]) -> Iterator[SourceRecord]:
    """Return a record for each line, or for several where a cell in quotes has line ends in it.

    Lines that a quote would swallow for no good reason are given back, and read one by one.
    """
    given_back: deque[NumberedLine] = deque()

    def following() -> NumberedLine | None:
        return given_back.popleft() if given_back else next(lines, None)

    while line := following():
        text, more = line.text, list[NumberedLine]()
        while text.count('"') % 2 and len(text) <= MAX_RECORD_CHARS and (added := following()):
            more.append(added)
            text += added.text
        found = _parse_row(names, line, text, more[-1].number if more else line.number)
        if more and (found is None or found.error or any(one.error for one in more)):
            given_back.extendleft(reversed(more))
            found = SourceRecord(f"line {line.number}", line.number, error="Its quotes do not match.")
        if found:
            yield found


def _parse_row(names: list[str], line: NumberedLine, text: str, last: int) -> SourceRecord | None:
    """Return the record, None where there is none in a blank line."""
    name = f"line {line.number}" if line.number == last else f"lines {line.number} to {last}"
    cells = None if line.error else _split_cells(text)
    if cells is None:
        return SourceRecord(name, last, error=line.error or "Its quotes do not match.")
    if len(cells) == len(names):
        return SourceRecord(name, last, dict(zip(names, map(_unescape, cells), strict=True)))
    return SourceRecord(name, last, error=f"It has {len(cells)} cells for {len(names)} columns.") if cells else None


def _split_cells(text: str) -> list[str] | None:
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return None
