"""Users as CSV (RFC 4180), below a line that names the columns."""

import csv
from collections import deque
from collections.abc import Iterator

from django.core.exceptions import ImproperlyConfigured

from latchkey.import_export.record import FIELDS
from latchkey.import_export.source_lines import Found, Line

LONGEST_RECORD = 2_000
"""Characters of a record that goes over several lines: more can only be a quote that was never closed."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""What is guarded by an apostrophe at the head of a cell: a spreadsheet then runs nothing (OWASP, CSV Injection)."""


def guarded(cell: str) -> str:
    """Return the cell as it is written."""
    return f"'{cell}" if cell[:1] in FORMULA[:-1] or (cell[:1] == "'" and cell[1:2] in FORMULA) else cell


def _bare(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in FORMULA else cell


def columns(head: Line) -> list[str]:
    """Return the names of the columns; raises ImproperlyConfigured where one is missing, unknown, or there twice."""
    names = [name.strip().lower() for name in _cells(head.text) or []]
    if "email" not in names:
        raise ImproperlyConfigured("The first line must name the columns, and 'email' is not among them.")
    if len(set(names)) < len(names):
        raise ImproperlyConfigured("The first line names a column twice.")
    if unknown := set(names) - FIELDS:
        known = ", ".join(sorted(FIELDS))
        raise ImproperlyConfigured(f"There is no column {min(unknown)[:40]!r}; leave it out. There are: {known}.")
    return names


def rows(names: list[str], lines: Iterator[Line]) -> Iterator[Found]:
    """Return a record for each line, or for several where a cell in quotes has line ends in it.

    Lines that a quote would swallow for no good reason are given back, and read one by one.
    """
    given_back: deque[Line] = deque()

    def following() -> Line | None:
        return given_back.popleft() if given_back else next(lines, None)

    while line := following():
        text, more = line.text, list[Line]()
        while text.count('"') % 2 and len(text) <= LONGEST_RECORD and (added := following()):
            more.append(added)
            text += added.text
        found = _row(names, line, text, more[-1].number if more else line.number)
        if more and (found is None or found.complaint or any(one.complaint for one in more)):
            given_back.extendleft(reversed(more))
            found = Found(f"line {line.number}", line.number, complaint="Its quotes do not match.")
        if found:
            yield found


def _row(names: list[str], line: Line, text: str, last: int) -> Found | None:
    """Return the record, None where there is none in a blank line."""
    name = f"line {line.number}" if line.number == last else f"lines {line.number} to {last}"
    cells = None if line.complaint else _cells(text)
    if cells is None:
        return Found(name, last, complaint=line.complaint or "Its quotes do not match.")
    if len(cells) == len(names):
        return Found(name, last, dict(zip(names, map(_bare, cells), strict=True)))
    return Found(name, last, complaint=f"It has {len(cells)} cells for {len(names)} columns.") if cells else None


def _cells(text: str) -> list[str] | None:
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return None
