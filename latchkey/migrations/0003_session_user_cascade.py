"""Let PostgreSQL itself delete the sessions of a user who is deleted.

Django deletes the sessions first and the user second; a sign-in that commits in between made the second fail.
SQLite has one writer at a time, and nothing comes in between.
"""

from typing import Any

from django.db import migrations

TABLE = "latchkey_session"


def cascade(apps: Any, schema_editor: Any) -> None:
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
    dependencies = [("latchkey", "0002_session_fillfactor")]

    operations = [migrations.RunPython(cascade, migrations.RunPython.noop)]
