"""Queries of every older version, run in a `latchkey shell` on a database of the current version.

The models are those of each earlier migration state, without the columns that were added since.
"""

from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import F

loader = MigrationExecutor(connection).loader
names = sorted(name for app, name in loader.disk_migrations if app == "latchkey")
for number, name in enumerate(names[:-1]):
    old = loader.project_state([("latchkey", name)]).apps
    User, Session = old.get_model("latchkey", "User"), old.get_model("latchkey", "Session")
    now = datetime.now(UTC)
    user = User.objects.create(email=f"alice.{number}@example.com", password="x")
    times = {"created_at": now, "rotated_at": now, "expires_at": now + timedelta(days=1)}
    token = {"selector": number, "digest": bytes(32), "next_digest": bytes(32)}
    client = {"ip": "127.0.0.1", "user_agent": "old"}
    session = Session.objects.create(user=user, credential_version=0, **token, **times, **client)
    assert Session.objects.filter(selector=number, user__is_active=True).update(digest=bytes(31) + b"1") == 1
    assert User.objects.filter(pk=user.pk).update(credential_version=F("credential_version") + 1) == 1
    assert Session.objects.select_related("user").get(pk=session.pk).user.credential_version == 1
    assert Session.objects.filter(user=user).delete()[0] == 1
    user.delete()
    print(f"{name} works")
