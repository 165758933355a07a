"""GET /api/me/export/"""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import models

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.profile import serializers
from latchkey.profile.export import MAX_EVENTS
from latchkey.profile.serializers import ExportOutput
from latchkey.sessions.models import Session
from tests.people import Person, try_login
from tests.problems import assert_problem
from tests.profile.test_delete_account import create_all_rows, user_reference_fields

SECRET = {
    "User": {"password", "credential_version"},
    "Session": {"selector", "digest", "next_digest", "credential_version"},
    "Mail": {"encrypted_context"},
    "Code": {"token_digest", "code_digest", "credential_version"},
    "Attempt": {"pk", "account", "place"},
}
"""What stays: digests, what is encrypted, and the counter that ends sessions."""
OMITTED_FIELDS = {
    "Session": {"user"},
    "AuditEvent": {"user_id", "notification_pending"},
    "Mail": {"id", "user_id"},
    "Code": {"id", "user"},
    "LogEntry": {"id", "user", "object_id", "object_repr", "content_type"},
}
"""What says only that the row is about this person, or names somebody else."""


def export(person: Person, **headers: str) -> httpx.Response:
    return person.http.get("/api/me/export/", headers=person.bearer() | headers)


def exported() -> dict[type[models.Model], set[str]]:
    """Return the columns that the export shows, by model."""
    found: dict[type[models.Model], set[str]] = {}
    for name in dir(serializers):
        meta = getattr(getattr(serializers, name), "Meta", None)
        if name.startswith("Exported"):
            found.setdefault(meta.model, set()).update(meta.fields)
    return found


def test_the_export_is_a_file_with_everything_about_its_owner(alice: Person) -> None:
    create_all_rows(alice)
    try_login(alice.http, alice.email, "not that one")
    answer = export(alice)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="latchkey-export.json"'
    held = answer.json()
    assert list(held) == ["account", "sessions", "events", "mails", "codes", "attempts", "actions", "changes"]
    assert held["account"] | {"created_at": ""} == {
        "id": alice.id,
        "email": alice.email,
        "email_verified_at": None,
        "username": "",
        "created_at": "",
        "is_active": True,
        "is_staff": False,
        "is_superuser": False,
        "groups": ["staff"],
        "user_permissions": held["account"]["user_permissions"],
    }
    assert [each["id"] for each in held["sessions"]] == [str(Session.objects.get().pk)]
    assert [each["name"] for each in held["events"]] == ["login.failed", "login.succeeded", "user.registered"]
    assert [(each["kind"], each["to_address"]) for each in held["mails"]] == [("password_reset", alice.email)]
    assert [each["purpose"] for each in held["codes"]] == ["password_reset"]
    assert sorted(each["failures"] for each in held["attempts"]) == [0, 1]
    assert [each["content_type"] for each in held["actions"]] == ["user"]
    assert [each["change_message"] for each in held["changes"]] == ["Deactivated."]
    assert all(held.values())


@pytest.mark.ledger("ASVS-14.1.1")
def test_every_column_about_a_person_is_exported_or_kept_back_for_a_reason(alice: Person) -> None:
    models_of_users = {User, *(field.model for field in user_reference_fields() if not field.model._meta.auto_created)}
    shown = exported()
    assert models_of_users <= set(shown)
    for model, columns in shown.items():
        name = model.__name__
        held = {field.name for field in (*model._meta.fields, *model._meta.many_to_many)}
        reasons = SECRET.get(name, set()) | (OMITTED_FIELDS.get(name, set()) - columns)
        assert columns | reasons == held, name
        assert not columns & reasons, name
    assert {type(each).__name__ for each in exported_serializers()} == {n for n in dir(serializers) if n[:4] == "Held"}


def exported_serializers() -> list[Any]:
    return [getattr(field, "child", field) for field in ExportOutput().fields.values()]


def test_nothing_secret_is_exported(alice: Person) -> None:
    create_all_rows(alice)
    text = export(alice).text
    row, user = Session.objects.get(), User.objects.get(pk=alice.id)
    for secret in (str(row.selector), bytes(row.digest).hex(), user.password, "argon2", "123456", alice.refresh_token):
        assert secret not in text


@pytest.mark.ledger("ASVS-8.2.2")
def test_nobody_else_is_in_it(alice: Person, bob: Person) -> None:
    Group.objects.create(name="of nobody")
    create_all_rows(alice)
    LogEntry.objects.log_actions(alice.id, list(User.objects.filter(pk=bob.id)), 2, change_message="Renamed.")
    text = export(alice).text
    assert bob.email not in text
    assert json.loads(text)["account"]["id"] == alice.id
    of_bob = export(bob)
    assert alice.email not in of_bob.text
    assert [each["change_message"] for each in of_bob.json()["changes"]] == ["Renamed."]
    assert of_bob.json()["actions"] == of_bob.json()["mails"] == []


def test_a_long_history_is_cut_to_its_newest_events(alice: Person) -> None:
    AuditEvent.objects.bulk_create(AuditEvent(name="login.failed", user_id=alice.id) for _ in range(MAX_EVENTS))
    events = export(alice).json()["events"]
    assert (len(events), events[0]["id"]) == (MAX_EVENTS, str(AuditEvent.objects.latest("id").pk))


def test_a_browser_gets_a_page_and_not_a_file(alice: Person) -> None:
    page = export(alice, Accept="text/html")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Content-Disposition" not in page.headers
    assert alice.email in page.text


def test_the_export_wants_a_token_and_refuses_other_methods(http: httpx.Client, alice: Person) -> None:
    assert_problem(http.get("/api/me/export/"), 401, "not_authenticated")
    assert_problem(http.get("/api/me/export/?user=1", headers=alice.bearer()), 400, "invalid", ["query"])
    for path in ("/api/me/export/", "/api/me/export"):
        assert http.get(path, headers=alice.bearer()).status_code == 200
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert_problem(http.request(method, path, headers=alice.bearer()), 405, "method_not_allowed")


def test_what_the_export_costs_in_statements(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    create_all_rows(alice)
    for _ in range(5):
        Person(alice.http, alice.email).login()
    assert len(statements(lambda: export(alice))) == 11
