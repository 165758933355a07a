"""Migration 0013: role rows that exist get the time of their user, by which the list of users is ordered."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE, AFTER = ("latchkey", "0012_applications_of_services"), ("latchkey", "0013_users_api")
CREATED_AT = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def migrate(target: tuple[str, str]) -> Any:
    """Migrate to this state; return its registry of models."""
    executor = MigrationExecutor(connection)
    executor.migrate([target])
    return MigrationExecutor(connection).loader.project_state([target]).apps


def test_roles_granted_before_the_upgrade_are_listed_by_the_time_of_their_user() -> None:
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes("latchkey")[0]
    try:
        apps = migrate(BEFORE)
        role = apps.get_model("latchkey", "Role").objects.create(name="editor")
        created = apps.get_model("latchkey", "User").objects.bulk_create(
            apps.get_model("latchkey", "User")(
                email=f"{number}@example.com", password="!", created_at=CREATED_AT + timedelta(days=number)
            )
            for number in range(3)
        )
        grants = apps.get_model("latchkey", "UserRole").objects
        for user in reversed(created):
            grants.create(user_id=user.pk, role=role)
        times = migrate(AFTER).get_model("latchkey", "UserRole").objects.values_list("user_id", "user_created_at")
        assert dict(times) == {user.pk: user.created_at for user in created}
    finally:
        migrate(latest)
