"""The table of field permissions in docs/security.md: who reads and writes which field, and which attributes decide."""

import ast
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from latchkey.accounts.models import User
from latchkey.applications.models import Application, ClientCredential
from latchkey.authorization.models import Scope
from latchkey.core.client import ClientInfo
from latchkey.sessions.models import Session
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import PASSWORD, Person
from tests.support.admin_pages import SESSIONS, USERS, Browser, user_page
from tests.support.package_ast import find_calls, walk_nodes
from tests.support.security_notes import code_spans, read_table

RULES = {code: tuple(row[1:]) for row in read_table("Field permissions") for code in code_spans(row[0])}
PRIVILEGES = {"user.is_staff", "user.is_superuser", "user.groups", "user.user_permissions"}
ATTEMPT: dict[str, Any] = {"id": 999, "email": "eve@example.com", "username": "Eve", "password": "a password of eve's"}
ATTEMPT |= {"created_at": "2000-01-01T00:00:00Z", "is_active": False, "is_staff": True, "is_superuser": True}
ATTEMPT |= {
    "groups": [1],
    "user_permissions": [1],
    "credential_version": 7,
    "second_factors": 1,
    "user_handle": "AAAA",
    "email_verified_at": "2000-01-01T00:00:00Z",
    "claims": {"plan": "pro"},
    "token_claims": '{"roles": ["admin"]}',
}


def documented_rules(column: int, *cells: str) -> set[str]:
    """Return the fields with one of these words in a column: 0 and 1 are the owner's, 2 and 3 the operator's."""
    return {field for field, row in RULES.items() if row[column] in cells}


def user_values(person: Person) -> dict[str, Any]:
    return dict(User.objects.values().get(pk=person.id))


@pytest.mark.ledger("ASVS-8.1.2")
def test_field_permissions_table_lists_every_field() -> None:
    columns = {f"user.{field.name}" for field in (*User._meta.fields, *User._meta.many_to_many)}
    columns |= {f"clientcredential.{field.name}" for field in ClientCredential._meta.fields}
    columns |= {f"application.{field.name}" for field in (*Application._meta.fields, *Application._meta.many_to_many)}
    columns |= {f"scope.{field.name}" for field in Scope._meta.fields}
    assert set(RULES) == columns | {f"session.{field.name}" for field in Session._meta.fields}
    assert {cell for cells in RULES.values() for cell in cells} == {"yes", "no", "at registration", "superusers"}


@pytest.mark.ledger("ASVS-8.1.2")
def test_me_and_sessions_show_the_fields_that_the_table_lets_the_owner_read(alice: Person) -> None:
    (device,) = alice.http.get("/api/sessions/", headers=alice.bearer()).json()
    columns = {"last_used_at": "rotated_at", "amr": "proof", "acr": "proof"}
    of_session = {columns.get(name, name) for name in device} - {"device", "current"}
    read = {f"user.{name}" for name in alice.me().json()} | {f"session.{name}" for name in of_session}
    assert read == documented_rules(0, "yes")


@pytest.mark.ledger("ASVS-8.1.2", "NIST-5.1.2")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_me_writes_the_fields_that_the_table_lets_the_owner_write(alice: Person, method: str) -> None:
    assert set(ATTEMPT) == {field.removeprefix("user.") for field in RULES if field.startswith("user.")}
    before = user_values(alice)
    assert alice.http.request(method, "/api/me/", json=ATTEMPT, headers=alice.bearer()).status_code == 200
    changed = {f"user.{name}" for name, value in user_values(alice).items() if value != before[name]}
    assert changed == documented_rules(1, "yes")
    user = User.objects.get(pk=alice.id)
    assert (user.groups.count(), user.user_permissions.count()) == (0, 0)


@pytest.mark.ledger("ASVS-8.1.2")
def test_register_writes_the_fields_that_the_table_lists(alice: Person) -> None:
    assert alice.http.post("/api/register/", json=ATTEMPT).status_code == 201
    eve = User.objects.get(email="eve@example.com")
    assert eve.check_password(ATTEMPT["password"])
    assert documented_rules(1, "at registration") == {"user.email", "user.password"}
    assert (eve.username, eve.is_active, eve.is_staff, eve.is_superuser) == ("", True, False, False)
    assert (eve.pk != 999, eve.created_at.year > 2000, eve.credential_version) == (True, True, 0)


@pytest.mark.ledger("ASVS-8.1.2")
def test_admin_user_page_reads_and_writes_the_fields_that_the_table_lists(admin: Browser, alice: Person) -> None:
    form = admin.get(user_page(alice.id)).context["adminform"]
    shown = {f"user.{name}" for name in (*form.form.fields, *form.readonly_fields)}
    assert (shown - {"user.password"}) | {"user.id"} == documented_rules(2, "yes") & {
        field for field in RULES if "user." in field
    }
    open_fields = {f"user.{name}" for name, field in form.form.fields.items() if not field.disabled}
    of_users = {field for field in RULES if field.startswith("user.")}
    assert open_fields | {"user.password"} == documented_rules(3, "yes", "superusers") & of_users
    assert documented_rules(3, "superusers") & of_users == PRIVILEGES


@pytest.mark.ledger("ASVS-8.1.2")
def test_admin_session_page_shows_the_fields_that_the_table_lists_read_only(admin: Browser, alice: Person) -> None:
    session = Session.objects.get(user=alice.id)
    form = admin.get(f"{SESSIONS}{session.pk}/change/").context["adminform"]
    columns = {f"session.{name}" for name in form.readonly_fields} - {"session.device"}  # read out of user_agent
    columns = {"session.proof" if name == "session.methods" else name for name in columns}
    assert columns == {f for f in documented_rules(2, "yes") if "session." in f}
    assert list(form.form.fields) == []
    assert {field for field in documented_rules(3, "yes", "superusers") if "session." in field} == set()


@pytest.mark.ledger("ASVS-8.1.2")
def test_admin_application_page_reads_and_writes_the_fields_that_the_table_lists(
    admin: Browser, staff: Callable[..., Browser]
) -> None:
    application = Application.objects.create(client_id="orders")
    page = f"/admin/latchkey/application/{application.pk}/change/"
    columns = {"application.state": "application.is_active"}
    for browser, may_write in ((admin, True), (staff("view_application"), False)):
        form = browser.get(page).context["adminform"]
        written = {f"application.{name}" for name in form.form.fields if name not in form.readonly_fields}
        shown = {f"application.{name}" for name in form.readonly_fields}
        read = {columns.get(name, name) for name in written | shown}
        assert read == {field for field in documented_rules(2, "yes") if field.startswith("application.")}
        allowed = {field for field in documented_rules(3, "superusers") if field.startswith("application.")}
        assert written == (allowed - {"application.is_active"} if may_write else set())


@pytest.mark.ledger("NIST-5.1.2")
def test_admin_change_own_password_requires_the_old_password(admin: Browser) -> None:
    new = {"new_password1": "seven purple trains", "new_password2": "seven purple trains"}
    for old in ("", "not the old one"):
        assert admin.post("/admin/password_change/", {"old_password": old} | new).status_code == 200
        assert User.objects.get(email=SUPERUSER_EMAIL).check_password(PASSWORD)
    assert admin.post("/admin/password_change/", {"old_password": PASSWORD} | new).status_code == 302
    assert admin.get(USERS).status_code == 200


@pytest.mark.ledger("ASVS-8.1.3")
def test_request_attributes_table_lists_every_module_that_uses_them() -> None:
    written: dict[str, set[str]] = {}
    for attribute, where, _ in read_table("Request attributes that affect decisions"):
        written.setdefault(code_spans(attribute)[0], set()).update(code_spans(where))
    used: dict[str, set[str]] = {f"client.{field.name}": set() for field in fields(ClientInfo)}
    for file, node in walk_nodes():
        if isinstance(node, ast.Attribute) and ast.unparse(node) in used:
            used[ast.unparse(node)].add(file)
    assert written == used | {"clock.now": set()}
    assert len(find_calls("now")) > 3
