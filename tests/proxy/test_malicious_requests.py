"""What is hostile gets the same verdict through the proxy and without it."""

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
def test_a_hostile_body_gets_the_same_verdict_on_either_side(
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
        "/api/%6de/",
        "/api//me/",
        "/api/./me/",
        "/api/x/../me/",
        "/api/me/%00",
        "/api/me%2f",
        "/api/%C0%AEme/",
        "/API/me/",
    ],
)
def test_a_hostile_path_gets_no_further_through_the_proxy(
    connect: Callable[[], TlsConnection], upstream: Server, alice: Person, target: str
) -> None:
    bearer = f"Authorization: Bearer {alice.access_token}".encode()
    with Connection(upstream.port) as direct:
        verdict = direct.send(request(f"GET {target}", bearer)).read_response().status_code
    outside = connect().send(with_public_host(request(f"GET {target}", bearer))).read_response().status_code
    assert outside == verdict or (outside, verdict) == (400, 404)  # the proxy takes no NUL at all
