"""Callers of the API for back ends, of every kind: applications, people with a role, and API keys of both."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from latchkey.applications.models import Application
from latchkey.audit.models import AuditEvent
from latchkey.core import clock
from latchkey.tokens.access_token import AUDIENCE, issue_for_client
from tests.api_keys.requests import create, create_application, create_of_application, grant_scopes
from tests.people import Person

READ, WRITE = "users:read", "users:write"
CLIENT_ID = "crm"
LIFETIME = timedelta(minutes=1)
DEVICE = "crm/1.0"
"""The User-Agent header of every caller."""


@dataclass(frozen=True)
class Caller:
    """A caller with a bearer token; user_id is that of a person, client_id that of an application."""

    http: httpx.Client
    token: str
    user_id: int | None = None
    client_id: str = ""

    def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Send a request to a path below /api/."""
        headers = {"Authorization": f"Bearer {self.token}", "User-Agent": DEVICE}
        content = {} if body is None else {"json": body}
        return self.http.request(method, f"/api/{path}", headers=headers, **content)

    def get(self, path: str) -> Any:
        """Return the JSON of an answer 200."""
        answer = self.send("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()


def application_token(client_id: str = CLIENT_ID, *scopes: str, audience: str = AUDIENCE, age: int = 0) -> str:
    """Return an access token that was issued to an application, age seconds ago."""
    return issue_for_client(client_id, scopes, [audience], clock.now() - timedelta(seconds=age), LIFETIME)


def application(http: httpx.Client, *scopes: str) -> Caller:
    """Return an application with a token for all of its scopes."""
    found = Application.objects.filter(client_id=CLIENT_ID).first() or create_application(CLIENT_ID, scopes)
    return Caller(http, application_token(found.client_id, *scopes), client_id=CLIENT_ID)


def application_key(http: httpx.Client, *scopes: str) -> Caller:
    return Caller(http, create_of_application(create_application(CLIENT_ID, scopes), *scopes), client_id=CLIENT_ID)


def person(http: httpx.Client, *scopes: str) -> Caller:
    """Return a person who has just signed in, and has a role with the scopes."""
    carol = Person(http, "carol@example.com").register()
    grant_scopes(carol, *scopes, role="support")
    return Caller(http, carol.login().access_token, user_id=carol.id)


def person_key(http: httpx.Client, *scopes: str) -> Caller:
    carol = Person(http, "carol@example.com").register()
    grant_scopes(carol, *scopes, role="support")
    return Caller(http, create(carol.login(), *scopes)["key"], user_id=carol.id)


KINDS: dict[str, Callable[..., Caller]] = {
    "application": application,
    "API key of an application": application_key,
    "person": person,
    "API key of a person": person_key,
}


def events_of(user_id: int, name: str) -> list[tuple[int | None, str, str]]:
    """Return actor, application and reason of the events of a user with this name."""
    found = AuditEvent.objects.filter(user_id=user_id, name=name).order_by("id")
    return list(found.values_list("actor_id", "client_id", "detail"))
