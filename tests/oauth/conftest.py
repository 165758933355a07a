"""Fixtures: a resource server with a client credential, made by `latchkey services add`."""

from dataclasses import dataclass
from io import StringIO

import httpx
import pytest
from django.core.management import call_command

from tests.oauth.applications import ORDERS, STOCK, Service, add_service


def run_services_command(*arguments: str) -> str:
    """Run `latchkey services` and return what it printed."""
    output = StringIO()
    call_command("services", *arguments, stdout=output)
    return output.getvalue()


@dataclass(frozen=True)
class ResourceServer:
    """A resource server with its client credential."""

    http: httpx.Client
    client_id: str
    secret: str

    def introspect(self, token: str, **more: str) -> httpx.Response:
        return self.http.post("/api/introspect/", data={"token": token, **more}, auth=(self.client_id, self.secret))

    def introspect_json(self, token: str) -> dict[str, object]:
        """Return the introspection response for a token."""
        answer = self.introspect(token)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store"), answer.text
        body: dict[str, object] = answer.json()
        return body


@pytest.fixture
def payments(http: httpx.Client) -> ResourceServer:
    return ResourceServer(http, "payments", run_services_command("add", "payments").splitlines()[-1])


@pytest.fixture
def billing(http: httpx.Client) -> Service:
    """An application with two scopes and two resources."""
    return add_service(http, "billing", ["orders:read", "orders:write"], [ORDERS, STOCK])
