"""Where users are written to.

Write users as `latchkey users import` reads them.

Hand out every user, a part at a time.
"""

import csv
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkstemp
from typing import Any, TextIO

from latchkey.accounts.models import User
from latchkey.import_export.csv_format import escape_formula


@contextmanager
def atomic_write(path: Path, *, overwrite: bool) -> Iterator[TextIO]:
    """Write beside the file (mode 0600), and give it its name at the end; nothing is left of one that was not ended.

    Raises FileExistsError where there is a file already, or something that is none, and what else an OSError can be.
    """
    if path.exists() and not (overwrite and path.is_file()):
        raise FileExistsError(17, "it is there already")
    descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def standard_output() -> Iterator[TextIO]:
    """Keep standard output for the users: what else is said there, such as the log, goes to standard error."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8", newline="") as target:
        os.dup2(2, 1)
        try:
            yield target
        finally:
            os.dup2(target.fileno(), 1)


def write_users(
    file: TextIO, form: str, fields: Sequence[str], chunks: Iterable[list[tuple[Any, ...]]]
) -> Iterator[int]:
    """Write part by part, and say how many users each had; raises OSError."""
    rows = csv.writer(file)
    if form == "csv":
        rows.writerow(fields)
    for part in chunks:
        if form == "csv":
            rows.writerows([_csv_value(value) for value in user] for user in part)
        else:
            file.writelines(json.dumps(dict(zip(fields, map(_json_value, user), strict=True))) + "\n" for user in part)
        yield len(part)


def _csv_value(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape_formula(value) if isinstance(value, str) else _json_value(value)


def _json_value(value: Any) -> Any:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


CHUNK = 2_000
"""Users read in one statement, and so held at once."""

COLUMNS = {"password_hash": "password"}
"""Of the fields that are called otherwise."""


def export_users(fields: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
    """Return the users in the order of their ids, with these fields, of which the id comes first.

    Each part is a statement of its own, so that no transaction is open for minutes; who registers meanwhile is in it,
    or is not.
    """
    columns, last = [COLUMNS.get(name, name) for name in fields], -1
    while part := list(User.objects.filter(pk__gt=last).order_by("pk").values_list(*columns)[:CHUNK]):
        last = part[-1][0]
        yield part
