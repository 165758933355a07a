"""Numbered system checks: what must not go into production, or could not work."""

import sqlite3
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.database)
def sqlite_is_new_enough(**kwargs: Any) -> list[CheckMessage]:
    """UPDATE ... FROM ... RETURNING needs SQLite 3.35."""
    on_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    if on_sqlite and sqlite3.sqlite_version_info < (3, 35):
        hint = "Use a newer Python build, or PostgreSQL through DATABASE_URL."
        return [Error(f"SQLite {sqlite3.sqlite_version} is too old; 3.35 is needed.", hint=hint, id="latchkey.E001")]
    return []
