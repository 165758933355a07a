"""Content-Length: every response has the length that it announces, and a request body of another length is rejected."""

from collections.abc import Callable

import httpx
import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.support.http_connection import Connection, post, request

REQUEST_LINES = [
    "GET /",
    "GET /api/",
    "GET /api/me/",
    "GET /nothing",
    "GET /livez",
    "GET /static/latchkey/home.css",
    "GET /admin/",
]
REQUEST_LINES += ["DELETE /api/login/", "POST /api/login/", "GET /api-doc/", "GET /api-doc/schema/"]


@pytest.mark.ledger("ASVS-4.2.2")
@pytest.mark.parametrize("request_line", REQUEST_LINES)
def test_response_has_the_length_of_its_content_length_header(
    open_connection: Callable[[], Connection], request_line: str
) -> None:
    connection = open_connection().send(request(request_line) + request("GET /livez"))
    answer = connection.read_response()
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert connection.read_response().json() == {"status": "ok"}
    assert connection.buffer == b""


@pytest.mark.parametrize("path", ["/", "/api/", "/api/me/", "/nothing", "/livez", "/static/latchkey/home.css"])
def test_head_response_has_the_content_length_of_get_and_no_body(
    open_connection: Callable[[], Connection], path: str
) -> None:
    connection = open_connection().send(request(f"GET {path}") + request(f"HEAD {path}") + request("GET /livez"))
    answer, head = connection.read_response(), connection.read_response(f"HEAD {path}")
    assert (head.status_code, head.headers["Content-Length"]) == (answer.status_code, str(len(answer.content)))
    assert connection.read_response().json() == {"status": "ok"}


@pytest.mark.ledger("ASVS-4.2.2")
def test_204_response_has_no_content_length(open_connection: Callable[[], Connection]) -> None:
    connection = open_connection().send(request("OPTIONS /api/login/") + request("GET /livez"))
    answer = connection.read_response()
    assert answer.status_code == 204
    assert "Content-Length" not in answer.headers  # RFC 9110 section 8.6
    assert connection.read_response().json() == {"status": "ok"}


def test_static_file_with_a_matching_etag_returns_304(open_connection: Callable[[], Connection]) -> None:
    path = "GET /static/latchkey/home.css"
    tag = open_connection().send(request(path)).read_response().headers["ETag"].encode()
    connection = open_connection().send(request(path, b"If-None-Match: " + tag) + request("GET /livez"))
    assert connection.read_response().status_code == 304
    assert connection.read_response().json() == {"status": "ok"}


@pytest.mark.ledger("REG-DJANGO-16")
@pytest.mark.parametrize("missing", [1, 10, 100_000])
def test_request_body_shorter_than_its_content_length_returns_400_at_once(
    open_connection: Callable[[], Connection], alice: Person, missing: int
) -> None:
    fields = {"refresh_token": alice.refresh_token}
    connection = open_connection().send(post("/api/refresh/", fields, excess_length=missing)).shutdown_write()
    assert_problem(connection.read_response(), 400, "parse_error")
    assert connection.is_closed()
    again = open_connection().send(post("/api/refresh/", fields)).read_response()
    assert again.status_code == 200
    assert alice.try_refresh(again.json()["refresh_token"]).status_code == 200


@pytest.mark.ledger("REG-DJANGO-15")
@pytest.mark.parametrize("size", [70_000, 3_000_000])
def test_large_chunked_request_body_is_rejected(
    open_connection: Callable[[], Connection], client: httpx.Client, alice: Person, size: int
) -> None:
    chunk = b"%x\r\n%b\r\n" % (10_000, b" " * 10_000)
    head = request("POST /api/login/", b"Content-Type: application/json", b"Transfer-Encoding: chunked")
    connection = open_connection().send(head)
    try:
        connection.send(chunk * (size // 10_000) + b"0\r\n\r\n")
    except (BrokenPipeError, ConnectionResetError):
        pass  # it was refused before it was sent
    else:
        assert connection.read_response().status_code in (400, 411, 413)
    assert client.get("/livez").status_code == 200


@pytest.mark.ledger("ASVS-4.2.5")
def test_access_token_of_the_longest_email_is_under_4_kb(client: httpx.Client) -> None:
    local, domain = "a" * 64, ".".join(["b" * 60, "b" * 60, "b" * 59])
    mallory = Person(client, f"{local}@{domain}.example").register().login()
    assert client.patch("/api/me/", json={"username": "\U0001f600" * 150}, headers=mallory.bearer()).status_code == 200
    assert len(mallory.login().access_token) < 4000
