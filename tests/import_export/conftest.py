"""Fixtures and helpers of the import and export tests."""

import csv
import io
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from latchkey.accounts.models import User

NOTHING = {"added": 0, "present": 0, "bad": 0}


class ImportRun:
    """One run of `latchkey users import`: its exit code and its output."""

    def __init__(self, file: Path, *options: str) -> None:
        output = StringIO()
        try:
            call_command("users", "import", str(file), *options, stdout=output)
            self.exit_code = 0
        except SystemExit as end:
            self.exit_code = int(end.code or 0)
        self.output = output.getvalue()

    @property
    def counts(self) -> tuple[int, ...]:
        """Return the numbers of added, present and rejected users."""
        return tuple(int(word) for word in self.output.replace(",", "").split() if word.isdigit())


@pytest.fixture
def import_users(db: None, tmp_path: Path) -> Callable[..., ImportRun]:
    """Import records or raw lines: import_users({"email": ...}, ...), import_users(b"email\\n...")."""

    def run(*records: Any, options: tuple[str, ...] = (), name: str = "users.jsonl") -> ImportRun:
        file = tmp_path / name
        if records and isinstance(records[0], bytes):
            file.write_bytes(b"".join(records))
        else:
            file.write_text("".join(json.dumps(record) + "\n" for record in records))
        return ImportRun(file, *options)

    return run


@pytest.fixture
def users(db: None) -> Callable[[], dict[str, User]]:
    """Return a function that returns all users by e-mail address."""
    return lambda: {user.email: user for user in User.objects.all()}


def to_csv(*records: dict[str, Any]) -> bytes:
    names = list(dict.fromkeys(name for record in records for name in record))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()
