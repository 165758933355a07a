"""Limits of nginx: slow clients, connections per address, oversized requests, and 503 while Latchkey is down."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.proxy.nginx import Nginx
from tests.proxy.tls_client import PUBLIC_HOST_HEADER, TlsConnection, proxy_client
from tests.server import Server
from tests.support.http_connection import Connection, request
from tests.support.production import production_server

pytestmark = pytest.mark.proxy

PROMPT_SECONDS = 1.0
INCOMPLETE_REQUESTS = [b"G", request("POST /api/login/", b"Content-Length: 100", host=PUBLIC_HOST_HEADER, body=b"{")]


@pytest.mark.ledger("ASVS-15.4.4")
@pytest.mark.parametrize("begun", INCOMPLETE_REQUESTS)
def test_proxy_cuts_off_slow_clients_without_delaying_others(
    connect: Callable[[], TlsConnection], https: httpx.Client, alice: Person, begun: bytes
) -> None:
    slow = [connect().send(begun) for _ in range(50)]
    for path in ("/livez", "/api/me/") * 5:
        asked = time.monotonic()
        assert https.get(path, headers=alice.bearer()).status_code == 200
        assert time.monotonic() - asked < PROMPT_SECONDS
    deadline = time.monotonic() + 30
    for connection in slow:
        connection.socket.settimeout(max(1, deadline - time.monotonic()))
        while connection.socket.recv(4096):
            pass  # an error response may come first
    assert time.monotonic() < deadline


def test_proxy_limits_one_ip_address_to_100_connections(proxy: Nginx) -> None:
    asked = request("GET /", host=PUBLIC_HOST_HEADER)
    begun = request("POST /", b"Content-Length: 100", host=PUBLIC_HOST_HEADER, body=b"{")
    with ExitStack() as opened:
        for _ in range(100):
            opened.enter_context(TlsConnection(proxy)).send(begun)
        deadline, status = time.monotonic() + 5, 200
        while status == 200 and time.monotonic() < deadline:  # connections refused beside those of fixtures have closed
            opened.enter_context(TlsConnection(proxy)).send(begun)
            with TlsConnection(proxy) as one_more:
                answer = one_more.send(asked).read_response("GET /")
            status = answer.status_code
        assert_problem(answer, 503, "unavailable")


@pytest.mark.ledger("H-HDR-01", "RFC6585-5")
@pytest.mark.parametrize(
    ("large", "status"),
    [
        (request("GET /api/me/", b"Authorization: Bearer " + b"a" * 10_000, host=PUBLIC_HOST_HEADER), 431),
        (request("GET /api/me/", b"Cookie: " + b"a=b; " * 13_000, host=PUBLIC_HOST_HEADER), 431),
        (request("GET /api/me/?" + "a" * 9_000, host=PUBLIC_HOST_HEADER), 414),
        (request("GET /api/me/", *[b"X-%d: a" % number for number in range(200)], host=PUBLIC_HOST_HEADER), 431),
    ],
)
def test_proxy_refuses_an_oversized_request_head(connect: Callable[[], Connection], large: bytes, status: int) -> None:
    assert connect().send(large).read_response().status_code == status


def test_proxy_refuses_an_oversized_body_like_latchkey(https: httpx.Client) -> None:
    assert_problem(https.post("/api/login/", content=b" " * 70_000), 413, "content_too_large")


@pytest.fixture
def own_server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    server = production_server(tmp_path, database_url, LATCHKEY_TRUSTED_PROXIES="1").start()
    yield server
    server.kill()


def test_proxy_answers_503_while_latchkey_restarts(own_server: Server, tmp_path: Path) -> None:
    proxy = Nginx(tmp_path / "nginx", own_server.port).start()
    try:
        with proxy_client(proxy) as https:
            alice = Person(https, "alice@example.com").register().login()
            own_server.stop()
            assert_problem(alice.try_refresh(), 503, "unavailable")
            assert_problem(alice.me(), 503, "unavailable")
            own_server.restart()
            assert alice.refresh().me().status_code == 200
    finally:
        proxy.stop()
