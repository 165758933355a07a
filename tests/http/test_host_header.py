"""The Host header: exactly one, with an allowed host; forwarded headers count only with a trusted proxy."""

from collections.abc import Callable

import httpx
import pytest

from latchkey.web.middleware import MAX_LOGGED_HOSTS
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.server import Server
from tests.support.http_connection import HOST_HEADER, Connection, post, request

EVIL = b"Host: evil.example\r\n"
CLAIMS = [
    b"X-Forwarded-For: 6.6.6.6",
    b"X-Forwarded-Host: evil.example",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Port: 666",
    b"X-Real-IP: 6.6.6.6",
    b"Forwarded: for=6.6.6.6;host=evil.example;proto=https",
    b"X_Forwarded_For: 6.6.6.6",
    b"X_Forwarded_Host: evil.example",
    b"X_Forwarded_Proto: https",
    b"Remote_Addr: 6.6.6.6",
    b"X-Remote-User: admin@example.com",
]


@pytest.mark.ledger("H-HOST-04", "RFC9112-3.2")
@pytest.mark.parametrize(
    "host",
    [b"", HOST_HEADER + HOST_HEADER, HOST_HEADER + EVIL, EVIL + HOST_HEADER, b"Host:\r\n", b"Host: 127.0.0.1, x\r\n"],
)
@pytest.mark.parametrize("path", ["/metrics", "/api/", "/api/login/", "/"])
def test_request_without_exactly_one_allowed_host_returns_400(
    open_connection: Callable[[], Connection], host: bytes, path: str
) -> None:
    request_line = f"GET {path}"
    answer = open_connection().send(request(request_line, host=host)).read_response(request_line)
    assert_problem(answer, 400, "bad_request")
    assert "'Host' header" in answer.json()["errors"]["body"][0]
    assert "evil" not in answer.text


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
@pytest.mark.parametrize("host", ["10.0.0.7", "10.0.0.7:8000", "[fd00::7]", "node-1.internal", "a_b", "", "x, y"])
def test_health_checks_answer_any_host(client: httpx.Client, path: str, host: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_checks_answer_http_1_0_without_a_host(
    open_connection: Callable[[], Connection], method: str, path: str
) -> None:
    answer = open_connection().send(f"{method} {path} HTTP/1.0\r\n\r\n".encode()).read_response(f"{method} {path}")
    assert answer.status_code == 200
    refused = open_connection().send(b"GET /api/ HTTP/1.0\r\n\r\n").read_response("GET /api/")
    assert_problem(refused, 400, "bad_request")


@pytest.mark.ledger("RFC9112-3.2")
@pytest.mark.parametrize("host", [b"", HOST_HEADER + HOST_HEADER, HOST_HEADER + EVIL])
def test_health_check_over_http_1_1_needs_one_host_header(
    open_connection: Callable[[], Connection], host: bytes
) -> None:
    answer = open_connection().send(request("GET /livez", host=host)).read_response("GET /livez")
    assert_problem(answer, 400, "bad_request")


def test_unknown_host_is_named_in_the_log_once_a_minute(server: Server) -> None:
    server.stop()
    server.workers = 1
    server.restart()
    for _ in range(3):
        for host in ("Forgotten.example", "forgotten.example", "10.0.0.7", "a\tb"):
            for path in ("/api/", "/api/me/", "/livez"):
                httpx.get(f"{server.url}{path}", headers={"Host": host})
    with Connection(server.port) as connection:
        connection.send(request("GET /api/", host=EVIL + EVIL)).read_response("GET /api/")
    lines = [line for line in server.log.read_text().splitlines() if "reason=unknown_host" in line]
    for host in ("host=forgotten.example", "host=10.0.0.7", "host=a?b", "host='evil.example, evil.example'"):
        assert len([line for line in lines if host in line]) == 1, lines
    assert len(lines) == 4


def test_log_of_unknown_hosts_is_bounded(server: Server) -> None:
    server.stop()
    server.workers = 1
    server.restart()
    with httpx.Client(base_url=server.url) as http:
        for number in range(MAX_LOGGED_HOSTS + 5):
            http.get("/api/", headers={"Host": f"x{number}.example"})
    assert server.log.read_text().count("reason=unknown_host") == MAX_LOGGED_HOSTS


@pytest.mark.ledger("H-HOST-03")
@pytest.mark.parametrize("host", [HOST_HEADER, EVIL])
@pytest.mark.parametrize("target", ["http://127.0.0.1", "http://evil.example", "https://a:b@evil.example:1"])
def test_absolute_request_target_does_not_override_the_host_header(
    open_connection: Callable[[], Connection], host: bytes, target: str
) -> None:
    answer = open_connection().send(request(f"GET {target}/api/", host=host)).read_response("GET /api/")
    if host == EVIL:
        assert_problem(answer, 400, "bad_request")
    else:
        assert answer.json()["login"] == "http://127.0.0.1/api/login/"
    assert "evil" not in answer.text


def test_forwarded_headers_are_ignored_without_a_trusted_proxy(
    open_connection: Callable[[], Connection], http_server: Server, alice: Person
) -> None:
    index = open_connection().send(request("GET /api/", *CLAIMS)).read_response()
    assert index.json()["login"] == "http://127.0.0.1/api/login/"
    login = post("/api/login/", {"email": alice.email, "password": alice.password}, *CLAIMS)
    assert open_connection().send(login).read_response("POST /api/login/").status_code == 200
    stored = http_server.shell(f"print(*Session.objects.filter(user_id={alice.id}).values_list('ip', flat=True))")
    assert stored.split() == ["127.0.0.1", "127.0.0.1"]


@pytest.mark.ledger("REG-DJANGO-18")
@pytest.mark.parametrize("order", [1, -1])
def test_header_with_underscores_does_not_replace_the_one_with_dashes(server: Server, order: int) -> None:
    server.stop()
    server.environment["LATCHKEY_TRUSTED_PROXIES"] = "1"
    server.restart()
    bob = {"email": "bob@example.com", "password": PASSWORD}
    claims = [b"X-Forwarded-For: 192.0.2.7", b"X_Forwarded_For: 6.6.6.6", b"X_Forwarded_Proto: https"][::order]
    with Connection(server.port) as connection:
        assert connection.send(post("/api/register/", bob)).read_response().status_code == 201
        assert connection.send(post("/api/login/", bob, *claims)).read_response().status_code == 200
        assert connection.send(request("GET /api/", *claims)).read_response().json()["login"].startswith("http://")
    assert server.shell("print(*Session.objects.values_list('ip', flat=True))") == "192.0.2.7"
