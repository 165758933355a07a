"""Requests to the endpoints of API keys, and owners that have scopes."""

from collections.abc import Sequence
from typing import Any

import httpx

from latchkey.api_keys.manage import KeySpec, create_application_key
from latchkey.applications.models import Application
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.models import Role, Scope
from latchkey.authorization.roles import create_role, grant_role
from tests.people import Person


def grant_scopes(person: Person, *scopes: str, role: str = "reader") -> Role:
    """Grant a person a new role with these scopes, which are created where there are none."""
    for scope in scopes:
        Scope.objects.get_or_create(name=scope, defaults={"description": scope})
    made = create_role(role, "", scopes, COMMAND_LINE)
    grant_role([person.id], made, COMMAND_LINE)
    return made


def try_create(person: Person, name: Any = "Backup", **fields: Any) -> httpx.Response:
    return person.http.post("/api/me/keys/", json={"name": name} | fields, headers=person.bearer())


def create(person: Person, *scopes: str, **fields: Any) -> dict[str, Any]:
    """Create a key of a person and return the answer."""
    answer = try_create(person, scopes=list(scopes), **fields)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


def list_keys(person: Person) -> list[dict[str, Any]]:
    answer = person.http.get("/api/me/keys/", headers=person.bearer())
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def try_revoke(person: Person, key_id: str) -> httpx.Response:
    return person.http.delete(f"/api/me/keys/{key_id}/", headers=person.bearer())


def create_application(client_id: str = "billing", scopes: Sequence[str] = ()) -> Application:
    """Create an application with these scopes."""
    application = Application.objects.create(client_id=client_id, name=client_id)
    for scope in scopes:
        application.scopes.add(Scope.objects.get_or_create(name=scope, defaults={"description": scope})[0])
    return application


def create_of_application(application: Application, *scopes: str, days: int | None = 90) -> str:
    """Create a key of an application, and return the key."""
    return create_application_key(application.client_id, KeySpec("Nightly", scopes, days), COMMAND_LINE).key


def use(http: httpx.Client, key: str, path: str = "/api/me/", **headers: str) -> httpx.Response:
    """Send a GET with a key as bearer token."""
    return http.get(path, headers={"Authorization": f"Bearer {key}"} | headers)
