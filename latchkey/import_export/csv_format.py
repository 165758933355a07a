"""CSV format of users (RFC 4180), with a header line, and protected against CSV injection (OWASP)."""

import csv
from collections import deque
from collections.abc import Iterator

from django.core.exceptions import ImproperlyConfigured

from latchkey.import_export.record import IMPORT_FIELDS
from latchkey.import_export.source_lines import NumberedLine, SourceRecord

MAX_RECORD_CHARS = 2_000
"""Characters of a record with line breaks in quotes: a longer one has a quote that was never closed."""

FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "'")
"""First characters of a cell that is written with an apostrophe before it, so that a spreadsheet runs no formula."""


def escape_formula(cell: str) -> str:
    """Return the cell as it is written; _unescape reverses it."""
    return (
        f"'{cell}" if cell[:1] in FORMULA_PREFIXES[:-1] or (cell[:1] == "'" and cell[1:2] in FORMULA_PREFIXES) else cell
    )


def _unescape(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in FORMULA_PREFIXES else cell


def parse_header(head: NumberedLine) -> list[str]:
    """Return the column names; raises ImproperlyConfigured if 'email' is missing, or one is unknown or repeated."""
    names = [name.strip().lower() for name in _split_cells(head.text) or []]
    if "email" not in names:
        raise ImproperlyConfigured("The first line must name the columns, and 'email' is not among them.")
    if len(set(names)) < len(names):
        raise ImproperlyConfigured("The first line names a column twice.")
    if unknown := set(names) - IMPORT_FIELDS:
        known = ", ".join(sorted(IMPORT_FIELDS))
        raise ImproperlyConfigured(f"The column {min(unknown)[:40]!r} is unknown; remove it. Known columns: {known}.")
    return names


def read_rows(names: list[str], lines: Iterator[NumberedLine]) -> Iterator[SourceRecord]:
    """Yield a record for each line, or for several lines if a quoted cell has line breaks in it.

    If a quote turns out not to be closed, the lines after it are pushed back and read one by one, so that one bad line
    costs no others.
    """
    pushed_back: deque[NumberedLine] = deque()

    def next_line() -> NumberedLine | None:
        return pushed_back.popleft() if pushed_back else next(lines, None)

    while line := next_line():
        text, more = line.text, list[NumberedLine]()
        while text.count('"') % 2 and len(text) <= MAX_RECORD_CHARS and (continuation := next_line()):
            more.append(continuation)
            text += continuation.text
        record = _parse_row(names, line, text, more[-1].number if more else line.number)
        if more and (record is None or record.error or any(continuation.error for continuation in more)):
            pushed_back.extendleft(reversed(more))
            record = SourceRecord(f"line {line.number}", line.number, error="Its quotes do not match.")
        if record:
            yield record


def _parse_row(names: list[str], line: NumberedLine, text: str, last: int) -> SourceRecord | None:
    """Return the record, or None for a blank line."""
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
