"""JSON lines format of users: one object per line."""

import json
from collections.abc import Iterator

from latchkey.import_export.record import IMPORT_FIELDS
from latchkey.import_export.source_lines import NumberedLine, SourceRecord


def read_objects(lines: Iterator[NumberedLine]) -> Iterator[SourceRecord]:
    """Yield a record for each line that is not blank."""
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
        return SourceRecord(name, number, error="It is not valid JSON.")
    if not isinstance(values, dict):
        return SourceRecord(name, number, error="It is not a JSON object.")
    if unknown := values.keys() - IMPORT_FIELDS:
        return SourceRecord(name, number, error=f"The field {min(unknown)[:40]!r} is unknown.")
    return SourceRecord(name, number, values)
