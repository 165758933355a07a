"""Write users as `latchkey users import` reads them."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from latchkey.transfer.cells import guarded


def write_file(file: TextIO, form: str, fields: Sequence[str], parts: Iterable[list[tuple[Any, ...]]]) -> Iterator[int]:
    """Write part by part, and say how many users each had; raises OSError."""
    rows = csv.writer(file)
    if form == "csv":
        rows.writerow(fields)
    for part in parts:
        if form == "csv":
            rows.writerows([_cell(value) for value in user] for user in part)
        else:
            file.writelines(json.dumps(dict(zip(fields, map(_plain, user), strict=True))) + "\n" for user in part)
        yield len(part)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return guarded(value) if isinstance(value, str) else _plain(value)


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
