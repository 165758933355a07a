"""GET /api/me/export/: export of the personal data."""

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
    "User": {"password", "credential_version", "user_handle", "token_claims"},
    "Session": {"selector", "digest", "next_digest", "retry_digest", "credential_version"},
    "Mail": {"encrypted_context"},
    "OneTimeCode": {"token_digest", "code_digest", "credential_version"},
    "TotpSecret": {"secret", "last_step"},
    "Passkey": {"credential_id", "public_key", "sign_count"},
    "RecoveryCode": {"digest"},
    "Ticket": {"digest", "challenge", "credential_version"},
    "FactorRecovery": {"credential_version"},
    "ApiKey": {"digest"},
    "Attempt": {"pk", "account", "address"},
}
"""Not exported, as they are secret, or (`token_claims`) repeat others: digests, encrypted values, versions."""
OMITTED_FIELDS = {
    "UserRole": {"id", "user", "user_created_at"},
    "Session": {"user"},
    "AuditEvent": {"user_id", "actor_id", "client_id", "notification_pending"},
    "Mail": {"id", "user_id"},
    "OneTimeCode": {"id", "user", "redirect_to"},
    "TotpSecret": {"user"},
    "Passkey": {"id", "user"},
    "RecoveryCode": {"user"},
    "Ticket": {"id", "user"},
    "FactorRecovery": {"id", "user"},
    "ApiKey": {"id", "user", "application"},
    "LogEntry": {"id", "user", "object_id", "object_repr", "content_type"},
}
"""Not exported, as they only refer to the user, or name another one, or are a URL of the operator."""


def export(person: Person, **headers: str) -> httpx.Response:
    return person.http.get("/api/me/export/", headers=person.bearer() | headers)


def exported() -> dict[type[models.Model], set[str]]:
    """Return the exported columns by model."""
    found: dict[type[models.Model], set[str]] = {}
    for name in dir(serializers):
        if name.startswith("Exported"):
            serializer = getattr(serializers, name)
            columns = {str(field.source).partition(".")[0] for field in serializer().fields.values()}
            found.setdefault(serializer.Meta.model, set()).update(columns)
    return found


def test_export_is_a_json_attachment_with_all_data_of_the_user(alice: Person) -> None:
    create_all_rows(alice)
    try_login(alice.http, alice.email, "not that one")
    answer = export(alice)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="latchkey-export.json"'
    held = answer.json()
    assert list(held) == [
        *("account", "roles", "sessions", "events", "mails", "codes", "totp", "passkeys", "recovery_codes", "tickets"),
        *("recoveries", "api_keys", "attempts", "actions", "changes"),
    ]
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
        "second_factors": 0,
        "claims": {"department": "sales"},
    }
    assert [each["name"] for each in held["roles"]] == ["editor"]
    assert [each["id"] for each in held["sessions"]] == [str(Session.objects.get().pk)]
    assert [each["name"] for each in held["events"]] == [
        *("login.failed", "claims.changed", "role.granted", "login.succeeded", "user.registered"),
    ]
    assert [(each["kind"], each["to_address"]) for each in held["mails"]] == [("password_reset", alice.email)]
    assert [each["purpose"] for each in held["codes"]] == ["password_reset"]
    assert [(each["confirmed_at"], each["last_used_at"]) for each in held["totp"]] == [(None, None)]
    assert [each["name"] for each in held["passkeys"]] == ["laptop"]
    assert len(held["recovery_codes"]) == 10
    assert [each["purpose"] for each in held["tickets"]] == ["step_up"]
    assert [(each["name"], each["scopes"]) for each in held["api_keys"]] == [("Backup", "users:read")]
    assert sorted(each["failures"] for each in held["attempts"]) == [0, 1]
    assert [each["content_type"] for each in held["actions"]] == ["user"]
    assert [each["change_message"] for each in held["changes"]] == ["Deactivated."]
    assert all(held.values())


@pytest.mark.ledger("ASVS-14.1.1")
def test_export_covers_every_user_related_column_or_lists_it_as_omitted(alice: Person) -> None:
    models_of_users = {User, *(field.model for field in user_reference_fields() if not field.model._meta.auto_created)}
    shown = exported()
    assert models_of_users <= set(shown)
    for model, columns in shown.items():
        name = model.__name__
        held = {field.name for field in (*model._meta.fields, *model._meta.many_to_many)}
        reasons = SECRET.get(name, set()) | (OMITTED_FIELDS.get(name, set()) - columns)
        assert columns | reasons == held, name
        assert not columns & reasons, name
    assert {type(each).__name__ for each in exported_serializers()} == {
        name for name in dir(serializers) if name.startswith("Exported")
    }


def exported_serializers() -> list[Any]:
    return [getattr(field, "child", field) for field in ExportOutput().fields.values()]


@pytest.mark.hashing
def test_export_contains_no_secrets(alice: Person) -> None:
    create_all_rows(alice)
    text = export(alice).text
    row, user = Session.objects.get(), User.objects.get(pk=alice.id)
    for secret in (str(row.selector), bytes(row.digest).hex(), user.password, "argon2", "123456", alice.refresh_token):
        assert secret not in text


@pytest.mark.ledger("ASVS-8.2.2")
def test_export_contains_no_data_of_other_users(alice: Person, bob: Person) -> None:
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


@pytest.mark.slow
def test_export_of_a_long_history_has_only_the_newest_events(alice: Person) -> None:
    AuditEvent.objects.bulk_create(AuditEvent(name="login.failed", user_id=alice.id) for _ in range(MAX_EVENTS))
    events = export(alice).json()["events"]
    assert (len(events), events[0]["id"]) == (MAX_EVENTS, str(AuditEvent.objects.latest("id").pk))


def test_export_is_a_page_without_attachment_in_a_browser(alice: Person) -> None:
    page = export(alice, Accept="text/html")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Content-Disposition" not in page.headers
    assert alice.email in page.text


def test_export_requires_a_token_and_refuses_other_methods(http: httpx.Client, alice: Person) -> None:
    assert_problem(http.get("/api/me/export/"), 401, "not_authenticated")
    assert_problem(http.get("/api/me/export/?user=1", headers=alice.bearer()), 400, "invalid", ["query"])
    for path in ("/api/me/export/", "/api/me/export"):
        assert http.get(path, headers=alice.bearer()).status_code == 200
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert_problem(http.request(method, path, headers=alice.bearer()), 405, "method_not_allowed")


def test_export_statement_count_does_not_grow_with_the_sessions(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    create_all_rows(alice)
    for _ in range(5):
        Person(alice.http, alice.email).login()
    assert len(statements(lambda: export(alice))) == 18
