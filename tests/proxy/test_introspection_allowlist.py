"""The IP address allowlist of deploy/nginx.conf for POST /api/introspect/."""

from collections.abc import Iterator

import httpx
import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.proxy.nginx import Nginx
from tests.proxy.tls_client import SniTransport, trusting_context
from tests.server import Server
from tests.support.production import HOST

pytestmark = pytest.mark.proxy


@pytest.fixture
def other_address(proxy: Nginx) -> Iterator[httpx.Client]:
    """A client at an IP address that is not on the allowlist."""
    transport = SniTransport(verify=trusting_context(proxy.certificate))
    with httpx.Client(base_url=f"https://[::1]:{proxy.https}", headers={"Host": HOST}, transport=transport) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/api/introspect/", "/api/introspect", "/api/%69ntrospect/", "/api/./introspect/", "/oauth/introspect/"]
)
def test_proxy_refuses_introspection_from_an_address_that_is_not_allowlisted(
    other_address: httpx.Client, alice: Person, upstream: Server, path: str
) -> None:
    secret = upstream.command("services", "add", f"service{alice.id}{len(path)}").stdout.split()[-1]
    service = (f"service{alice.id}{len(path)}", secret)
    assert_problem(other_address.post(path, data={"token": alice.access_token}, auth=service), 403, "permission_denied")
    assert other_address.get("/livez").status_code == 200
    answer = alice.http.post("/api/introspect/", data={"token": alice.access_token}, auth=service)
    assert (answer.status_code, answer.json()["active"]) == (200, True)


def test_proxy_forwards_verify_and_revoke_from_any_address(other_address: httpx.Client, alice: Person) -> None:
    verified = other_address.get("/api/verify/", headers=alice.bearer())
    assert (verified.status_code, verified.headers["X-User-Id"]) == (204, str(alice.id))
    assert other_address.post("/api/revoke/", data={"token": alice.access_token}).status_code == 200
    assert_problem(other_address.get("/api/verify/", headers=alice.bearer()), 401, "invalid_token")
