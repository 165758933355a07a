"""Migrations only ever add what an older version, which serves meanwhile, need not know of."""

from importlib import import_module
from pathlib import Path

import pytest
from django.db import migrations
from django.db.migrations.operations.base import Operation

FOLDER = Path(__file__).resolve().parents[2] / "latchkey" / "migrations"
NAMES = sorted(path.stem for path in FOLDER.glob("0*.py"))
READ_BY_HAND = {
    "0002_postgresql_session_table": "a storage parameter, and a constraint in place of an equal one",
}
"""Code and SQL, which no rule can judge: why an older version does not mind."""


def operations(name: str) -> list[Operation]:
    found: list[Operation] = import_module(f"latchkey.migrations.{name}").Migration.operations
    return found


def is_unnoticed(operation: Operation) -> bool:
    """Tell whether the statements of an older version work on: they name the columns that they know."""
    if isinstance(operation, migrations.AddField):
        field = operation.field
        return field.null or field.has_db_default() or field.many_to_many
    return isinstance(operation, migrations.CreateModel | migrations.AddIndex)


@pytest.mark.ledger("H-INF-12")
@pytest.mark.parametrize("name", NAMES[1:])
def test_a_migration_adds_and_takes_nothing_away(name: str) -> None:
    loud = [operation for operation in operations(name) if not is_unnoticed(operation)]
    assert not loud or name in READ_BY_HAND, [operation.describe() for operation in loud]


def test_every_reason_is_one_for_a_migration_that_needs_it() -> None:
    assert set(READ_BY_HAND) <= set(NAMES)
    assert all(any(not is_unnoticed(operation) for operation in operations(name)) for name in READ_BY_HAND)
