"""Make room for hashes of other systems, which are up to 256 characters long.

On PostgreSQL this changes no row. SQLite does not hold text to a length, so its table need not be written anew.
"""

from typing import Any

from django.db import migrations, models


def widen(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE latchkey_user ALTER COLUMN password TYPE varchar(256)")


class Migration(migrations.Migration):
    dependencies = [("latchkey", "0008_tally")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(widen, migrations.RunPython.noop)],
            state_operations=[migrations.AlterField("user", "password", models.CharField(max_length=256))],
        )
    ]
