"""Users as JSON lines: an object in each."""

import json
from collections.abc import Iterator

from latchkey.import_export.record import IMPORT_FIELDS
from latchkey.import_export.source_lines import NumberedLine, SourceRecord


def read_objects(lines: Iterator[NumberedLine]) -> Iterator[SourceRecord]:
    """Return a record for each line that is not blank."""
    for line in lines:
        if line.error or line.text.strip():
            yield _parse_object(line)


def _parse_object(line: NumberedLine) -> SourceRecord:
    number, name = line.number, f"line {line.number}"
    if line.error:
        return SourceRecord(name, number, error=line.error)
    try:
        values = json.loads(line.text)
    except (ValueError, RecursionError):
        return SourceRecord(name, number, error="It is no JSON.")
    if not isinstance(values, dict):
        return SourceRecord(name, number, error="It is no JSON object.")
    if unknown := values.keys() - IMPORT_FIELDS:
        return SourceRecord(name, number, error=f"There is no field {min(unknown)[:40]!r}.")
    return SourceRecord(name, number, values)
