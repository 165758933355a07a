"""Documented errors that generated requests do not cause: each is caused here and validated against the document."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from schemathesis.checks import not_a_server_error

from tests.fixtures.database import DatabaseDown
from tests.fuzz.openapi_document import SCHEMA
from tests.people import PASSWORD, Person
from tests.support.endpoints import ENDPOINTS

BODIES: dict[str, dict[str, Any]] = {
    "register": {"email": "mallory@example.com", "password": PASSWORD},
    "login": {"email": "nobody@example.com", "password": PASSWORD},
    "refresh": {"refresh_token": "2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42"},
    "logout": {"refresh_token": "2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42"},
    "put me": {"username": "Alice"},
    "patch me": {"username": "Alice"},
}


def status_of(name: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> int:
    """Send a request, validate the response against the document, and return its status."""
    endpoint = ENDPOINTS[name]
    case = SCHEMA[endpoint.path][endpoint.method].Case(body=body, media_type="application/json")
    excluded: list[Any] = [not_a_server_error]  # a 503 is among what is asked for here
    origin = {"REMOTE_ADDR": "192.0.2.1"}  # without an address nothing is counted by it
    return int(case.call_and_validate(headers=headers or {}, excluded_checks=excluded, environ_base=origin).status_code)


@pytest.mark.parametrize("name", BODIES)
def test_not_acceptable_and_too_large_requests_get_the_documented_errors(alice: Person, name: str) -> None:
    assert status_of(name, BODIES[name], alice.bearer() | {"Accept": "image/png"}) == 406
    assert status_of(name, {"x": "y" * 70_000}, alice.bearer()) == 413


@pytest.mark.parametrize("name", ["register", "login", "refresh", "logout"])
def test_rate_limited_requests_get_the_documented_error(
    http: httpx.Client, set_policy: Callable[..., None], name: str
) -> None:
    set_policy(registrations_per_address=2)
    statuses = [status_of(name, BODIES[name] | {"unknown": attempt}) for attempt in range(60)]
    assert statuses[-1] == 429
    assert set(statuses) - {429} <= {200, 201, 400, 401}
    assert statuses[0] != 429


def test_register_while_registration_is_closed_gets_the_documented_error(
    http: httpx.Client, set_policy: Callable[..., None]
) -> None:
    set_policy(registration_open=False)
    assert status_of("register", BODIES["register"]) == 403


@pytest.mark.parametrize("name", BODIES)
def test_requests_without_a_database_get_the_documented_error(
    alice: Person, database_down: DatabaseDown, name: str
) -> None:
    with database_down():
        assert status_of(name, BODIES[name], alice.bearer()) == 503
