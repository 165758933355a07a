"""Through deploy/nginx.conf, introspection is for the addresses of the operator's services."""

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
def stranger(proxy: Nginx) -> Iterator[httpx.Client]:
    """A client that comes from an address which the file does not name."""
    transport = SniTransport(verify=trusting_context(proxy.certificate))
    with httpx.Client(base_url=f"https://[::1]:{proxy.https}", headers={"Host": HOST}, transport=transport) as client:
        yield client


@pytest.mark.parametrize("path", ["/api/introspect/", "/api/introspect", "/api/%69ntrospect/", "/api/./introspect/"])
def test_a_stranger_does_not_get_to_introspection(
    stranger: httpx.Client, alice: Person, upstream: Server, path: str
) -> None:
    secret = upstream.command("services", "add", f"service{alice.id}{len(path)}").stdout.split()[-1]
    service = (f"service{alice.id}{len(path)}", secret)
    assert_problem(stranger.post(path, data={"token": alice.access_token}, auth=service), 403, "permission_denied")
    assert stranger.get("/livez").status_code == 200
    answer = alice.http.post("/api/introspect/", data={"token": alice.access_token}, auth=service)
    assert (answer.status_code, answer.json()["active"]) == (200, True)


def test_verify_and_revoke_work_through_the_proxy(stranger: httpx.Client, alice: Person) -> None:
    verified = stranger.get("/api/verify/", headers=alice.bearer())
    assert (verified.status_code, verified.headers["X-User-Id"]) == (204, str(alice.id))
    assert stranger.post("/api/revoke/", data={"token": alice.access_token}).status_code == 200
    assert_problem(stranger.get("/api/verify/", headers=alice.bearer()), 401, "invalid_token")
