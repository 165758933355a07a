"""Endpoints that take a body, a valid body for each, and the check that an error changes nothing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from latchkey.accounts.models import User
from latchkey.sessions.models import Session
from tests.people import PASSWORD, Person

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Endpoint:
    """Method, path and fields of an endpoint, with the status of success."""

    method: str
    path: str
    fields: tuple[str, ...]
    success: int = 200


ENDPOINTS = {
    "register": Endpoint("POST", "/api/register/", ("password", "email"), 201),
    "login": Endpoint("POST", "/api/login/", ("email", "password")),
    "refresh": Endpoint("POST", "/api/refresh/", ("refresh_token",)),
    "put me": Endpoint("PUT", "/api/me/", ("username",)),
    "patch me": Endpoint("PATCH", "/api/me/", ("username",)),
    "logout": Endpoint("POST", "/api/logout/", ("refresh_token",)),
}
FIELDS = [(name, field) for name, endpoint in ENDPOINTS.items() for field in endpoint.fields]


def valid_body(alice: Person, name: str) -> dict[str, Any]:
    """Return a body that the endpoint accepts."""
    email = "mallory@example.com" if name == "register" else alice.email
    values = {"email": email, "password": PASSWORD, "refresh_token": alice.refresh_token, "username": "Alice"}
    return {field: values[field] for field in ENDPOINTS[name].fields}


def send(alice: Person, name: str, body: bytes | dict[str, Any], **headers: str) -> httpx.Response:
    """Send a body to an endpoint with alice's access token; a dict is sent as JSON."""
    content = json.dumps(body).encode() if isinstance(body, dict) else body
    sent = JSON | alice.bearer() | {key.replace("_", "-"): value for key, value in headers.items()}
    return alice.http.request(ENDPOINTS[name].method, ENDPOINTS[name].path, content=content, headers=sent)


def stored_rows() -> list[dict[str, Any]]:
    """Return all columns of all users and sessions."""
    return [dict(row) for model in (User, Session) for row in model._default_manager.order_by("pk").values()]


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Assert that no column of a user or session changes in this block."""
    before = stored_rows()
    assert before
    yield
    assert stored_rows() == before
