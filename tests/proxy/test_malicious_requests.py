"""Malicious bodies and paths get the same response through nginx as from Latchkey directly."""

from collections.abc import Callable

import httpx
import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.proxy.tls_client import TlsConnection, with_public_host
from tests.server import Server
from tests.support.http_connection import Connection, request

pytestmark = pytest.mark.proxy

HEADERS = {"Content-Type": "application/json"}


@pytest.mark.ledger("ASVS-1.5.3")
@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b'{"email": "a@example.com", "email": "b@example.com", "password": "x"}', 400, "duplicate_key"),
        (b'{"refresh_token": NaN}', 400, "parse_error"),
        (b'\xef\xbb\xbf{"email": "a@example.com", "password": "x"}', 400, "parse_error"),
        (b'{"email": "\xff@example.com", "password": "x"}', 400, "parse_error"),
        (b'{"email": "a@example.com", "password": "wrong"}', 401, "invalid_credentials"),
    ],
)
def test_malicious_body_gets_the_same_error_through_the_proxy_as_without_it(
    https: httpx.Client, upstream: Server, sent: bytes, status: int, code: str
) -> None:
    direct = httpx.post(f"{upstream.url}/api/login/", content=sent, headers=HEADERS)
    outside = https.post("/api/login/", content=sent, headers=HEADERS)
    for answer in (direct, outside):
        assert_problem(answer, status, code)
    assert direct.text == outside.text


@pytest.mark.ledger("ASVS-1.5.3")
@pytest.mark.parametrize(
    "target",
    [
        "/api//me/",
        "/api/./me/",
        "/api/x/../me/",
        "/api/me/%00",
        "/api/%C0%AEme/",
        "/API/me/",
    ],
)
def test_malicious_path_gets_the_same_status_through_the_proxy_as_without_it(
    connect: Callable[[], TlsConnection], upstream: Server, alice: Person, target: str
) -> None:
    bearer = f"Authorization: Bearer {alice.access_token}".encode()
    with Connection(upstream.port) as direct:
        direct_status = direct.send(request(f"GET {target}", bearer)).read_response().status_code
    outside = connect().send(with_public_host(request(f"GET {target}", bearer))).read_response().status_code
    assert outside == direct_status or (outside, direct_status) == (400, 404)  # nginx refuses a NUL itself


@pytest.mark.parametrize("path", ["/%61dmin/login/", "/admin%2Flogin/", "/api/%6de/", "/api/me%2f", "/livez%3f"])
def test_nginx_refuses_escapes_in_paths(https: httpx.Client, upstream: Server, alice: Person, path: str) -> None:
    assert https.get("/livez?x=%61").status_code == 200
    before = len(upstream.log.read_text())
    assert_problem(https.get(path, headers=alice.bearer()), 404, "not_found")
    assert upstream.log.read_text()[before:] == ""
