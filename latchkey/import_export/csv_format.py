"""CSV format of users (RFC 4180) and its variants: another delimiter, empty columns and rows, as spreadsheets write it.

A header line names the columns. Formulas are escaped (CSV injection, OWASP).
"""

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from latchkey.import_export.record import IMPORT_FIELDS
from latchkey.import_export.source_lines import NumberedLine, SourceRecord

MAX_RECORD_CHARS = 2_000
"""Characters of a record with line breaks in quotes: a longer one has a quote that was never closed."""

FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "'")
"""First characters of a cell that is written with an apostrophe before it, so that a spreadsheet runs no formula."""

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}
"""Delimiters that are found out, with their names; the first one counts where several fit."""

MAX_NAMES_SHOWN, MAX_NAME_SHOWN = 5, 40
"""Columns that a message repeats, and characters of each."""

_DELIMITER_LINE = re.compile(r"sep=([,;\t|])\s*", re.IGNORECASE)
"""A line before the header that spreadsheets read and write."""

_EMPTY_LINE = re.compile(r'[\s,;|"]*')


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """The columns of a file, '' for one without a name, and the delimiter between cells."""

    names: Sequence[str]
    delimiter: str


def escape_formula(cell: str) -> str:
    """Return the cell as it is written; _unescape reverses it."""
    return (
        f"'{cell}" if cell[:1] in FORMULA_PREFIXES[:-1] or (cell[:1] == "'" and cell[1:2] in FORMULA_PREFIXES) else cell
    )


def _unescape(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in FORMULA_PREFIXES else cell


def read_header(head: NumberedLine, lines: Iterator[NumberedLine]) -> CsvHeader:
    """Return the header, which may come after empty lines and a line that names the delimiter.

    Raises ImproperlyConfigured if it cannot be read or used.
    """
    delimiters: Sequence[str] = tuple(DELIMITERS)
    while not head.error and _EMPTY_LINE.fullmatch(head.text) and (following := next(lines, None)):
        head = following
    if (named := _DELIMITER_LINE.fullmatch(head.text)) and (following := next(lines, None)):
        delimiters, head = (named[1],), following
    if head.error:
        raise ImproperlyConfigured(f"Line {head.number} cannot be read. {head.error}")
    return parse_header(head.text, delimiters)


def parse_header(text: str, delimiters: Sequence[str] = tuple(DELIMITERS)) -> CsvHeader:
    """Return the columns, separated by the delimiter that gives the most known names.

    Raises ImproperlyConfigured if 'email' is missing, or one is unknown or repeated; the message says what was seen.
    """
    read = [CsvHeader([name.strip().lower() for name in _split_cells(text, mark) or []], mark) for mark in delimiters]
    header = max(read, key=lambda one: (len(IMPORT_FIELDS.intersection(one.names)), len(one.names)))
    names = [name for name in header.names if name]
    if "email" not in names:
        raise ImproperlyConfigured(
            f"The first line must name the columns, and 'email' is not among them. {_seen(header)}"
        )
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise ImproperlyConfigured(f"The first line names a column twice. It is {repeated[:MAX_NAME_SHOWN]!r}.")
    if unknown := set(names) - IMPORT_FIELDS:
        known, first = ", ".join(sorted(IMPORT_FIELDS)), min(unknown)[:MAX_NAME_SHOWN]
        raise ImproperlyConfigured(
            f"The column {first!r} is unknown; remove it. Known columns: {known}. {_seen(header)}"
        )
    last = max(index for index, name in enumerate(header.names) if name)
    return CsvHeader(header.names[: last + 1], header.delimiter)


def _seen(header: CsvHeader) -> str:
    """Return what a first line has, in a sentence; a line that is a user's is not repeated."""
    names = [name for name in header.names if name]
    if any("@" in name for name in names):
        return "It looks like a user: add a line with the names of the columns before it."
    shown = ", ".join(repr(name[:MAX_NAME_SHOWN]) for name in names[:MAX_NAMES_SHOWN])
    more = f" and {len(names) - MAX_NAMES_SHOWN} more" if len(names) > MAX_NAMES_SHOWN else ""
    if len(names) < 2:
        return f"It has one column: {shown}." if names else "It is empty."
    return f"It has {len(names)} columns, separated by {DELIMITERS[header.delimiter]}: {shown}{more}."


def read_rows(header: CsvHeader, lines: Iterator[NumberedLine]) -> Iterator[SourceRecord]:
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
        record = _parse_row(header, line, text, more[-1].number if more else line.number)
        if more and (record is None or record.error or any(continuation.error for continuation in more)):
            pushed_back.extendleft(reversed(more))
            record = SourceRecord(f"line {line.number}", line.number, error="Its quotes do not match.")
        if record:
            yield record


def _parse_row(header: CsvHeader, line: NumberedLine, text: str, last: int) -> SourceRecord | None:
    """Return the record, or None for a row of empty cells; empty cells beyond the columns are left aside."""
    name = f"line {line.number}" if line.number == last else f"lines {line.number} to {last}"
    cells = None if line.error else _split_cells(text, header.delimiter)
    if cells is None:
        return SourceRecord(name, last, error=line.error or "Its quotes do not match.")
    names, count = header.names, len(cells)
    if not any(map(str.strip, cells)):
        return None
    if count < len(names) or any(map(str.strip, cells[len(names) :])):
        return SourceRecord(name, last, error=f"It has {_count_cells(count)} for {len(names)} columns.")
    values = dict(zip(names, map(_unescape, cells), strict=False))
    if any(not name and cell.strip() for name, cell in zip(names, cells, strict=False)):
        return SourceRecord(name, last, error="It has a cell in a column without a name.")
    values.pop("", None)
    return SourceRecord(name, last, values)


def _count_cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _split_cells(text: str, delimiter: str) -> list[str] | None:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None
