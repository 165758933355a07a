"""Faults of other systems with scopes, tokens of services and keys: each has its number in the name of a test.

Those about claims, password grants and ids of applications are beside the tests of their features.
"""

import httpx

from latchkey.applications.models import Application
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.models import Role
from latchkey.authorization.roles import change_role
from tests.api_keys.requests import create, grant_scopes, try_create
from tests.oauth.applications import add_service
from tests.people import Person


def statuses(person: Person, *tokens: str) -> list[int]:
    """Return how each token fares at an endpoint that asks for users:read."""
    return [person.http.get("/api/users/", headers=person.bearer(token)).status_code for token in tokens]


def test_cve_2026_9097_token_of_an_ended_session_makes_no_api_key(alice: Person) -> None:
    grant_scopes(alice, "users:read")
    assert try_create(alice, "Before", scopes=["users:read"]).status_code == 201
    alice.logout()
    assert try_create(alice, "After", scopes=["users:read"]).status_code == 401


def test_ghsa_895x_rfqp_jh5c_scope_taken_from_a_role_ends_what_it_opened(alice: Person) -> None:
    grant_scopes(alice, "users:read", role="reader")
    key = create(alice, "users:read")["key"]
    assert statuses(alice, alice.access_token, key) == [200, 200]
    change_role(Role.objects.get(name="reader"), "", (), COMMAND_LINE)
    assert statuses(alice, alice.access_token, key) == [403, 403]


def test_ghsa_895x_rfqp_jh5c_scope_taken_from_an_application_ends_its_tokens(http: httpx.Client, alice: Person) -> None:
    service = add_service(http, "backend", ["users:read"])
    token = service.token()
    assert statuses(alice, token) == [200]
    Application.objects.get(client_id="backend").scopes.clear()
    assert statuses(alice, token) == [403]
    assert service.ask(scope="users:read").json()["error"] == "invalid_scope"


def test_cve_2026_55672_application_gets_no_refresh_token(http: httpx.Client) -> None:
    answer = add_service(http, "backend", ["users:read"]).ask()
    assert answer.status_code == 200
    assert "refresh_token" not in answer.json()
