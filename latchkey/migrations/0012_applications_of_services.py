"""Create the built-in scopes, and an application of kind service for each service that has a secret."""

from typing import Any

from django.db import migrations

SCOPES = {
    "users:read": "Read all users, their sessions and their events.",
    "users:write": "Create, change and delete users.",
}


def create_rows(apps: Any, schema_editor: Any) -> None:
    scopes = apps.get_model("latchkey", "Scope").objects
    for name, description in SCOPES.items():
        scopes.get_or_create(name=name, defaults={"description": description})
    applications = apps.get_model("latchkey", "Application").objects
    credentials = apps.get_model("latchkey", "ClientCredential").objects
    for client_id in credentials.order_by("client_id").values_list("client_id", flat=True).distinct():
        applications.get_or_create(client_id=client_id, defaults={"name": client_id})


class Migration(migrations.Migration):
    dependencies = [
        ("latchkey", "0011_authorization"),
    ]

    operations = [
        migrations.RunPython(create_rows, migrations.RunPython.noop),
    ]
