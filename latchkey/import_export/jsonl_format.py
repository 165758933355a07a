"""Users as JSON lines: an object in each."""

import json
from collections.abc import Iterator

from latchkey.import_export.record import FIELDS
from latchkey.import_export.source_lines import Found, Line


def objects(lines: Iterator[Line]) -> Iterator[Found]:
    """Return a record for each line that is not blank."""
    for line in lines:
        if line.complaint or line.text.strip():
            yield _object(line)


def _object(line: Line) -> Found:
    number, name = line.number, f"line {line.number}"
    if line.complaint:
        return Found(name, number, complaint=line.complaint)
    try:
        values = json.loads(line.text)
    except (ValueError, RecursionError):
        return Found(name, number, complaint="It is no JSON.")
    if not isinstance(values, dict):
        return Found(name, number, complaint="It is no JSON object.")
    if unknown := values.keys() - FIELDS:
        return Found(name, number, complaint=f"There is no field {min(unknown)[:40]!r}.")
    return Found(name, number, values)
