"""Migrations are compatible with the previous version, which goes on serving during an upgrade: they only add."""

from importlib import import_module
from pathlib import Path

import pytest
from django.db import migrations
from django.db.migrations.operations.base import Operation

FOLDER = Path(__file__).resolve().parents[2] / "latchkey" / "migrations"
NAMES = sorted(path.stem for path in FOLDER.glob("0*.py"))
REVIEWED = {
    "0002_postgresql_session_table": "a storage parameter, and a constraint in place of an equal one",
    "0012_applications_of_services": "new rows in new tables, which an older version does not read",
    "0013_users_api": "a time of users in rows of a new table, which an older version does not read",
}
"""Migrations with code or SQL, which no rule can judge, and why an older version works on."""


def operations(name: str) -> list[Operation]:
    found: list[Operation] = import_module(f"latchkey.migrations.{name}").Migration.operations
    return found


def is_backward_compatible(operation: Operation) -> bool:
    """Tell whether the statements of an older version, which name the columns that it knows, still work."""
    if isinstance(operation, migrations.AddField):
        field = operation.field
        return bool(field.null or field.has_db_default() or field.many_to_many)
    additive = migrations.CreateModel | migrations.AddIndex | migrations.AlterModelOptions  # the last has no SQL
    return isinstance(operation, additive)


@pytest.mark.ledger("H-INF-12")
@pytest.mark.parametrize("name", NAMES[1:])
def test_migrations_after_the_first_are_backward_compatible(name: str) -> None:
    incompatible = [operation for operation in operations(name) if not is_backward_compatible(operation)]
    assert not incompatible or name in REVIEWED, [operation.describe() for operation in incompatible]


def test_reviewed_migrations_exist_and_need_their_review() -> None:
    assert set(REVIEWED) <= set(NAMES)
    assert all(any(not is_backward_compatible(operation) for operation in operations(name)) for name in REVIEWED)
