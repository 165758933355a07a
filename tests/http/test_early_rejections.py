"""What is refused before Django sees it is refused like the rest: the same shape, headers and line in the log."""

import time
from collections.abc import Callable

import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.server import Server
from tests.support.http_connection import HOST_HEADER, Connection, post, request

CODED = request("POST /api/login/", b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n")
BROKEN = post("/api/login/", {"email": "alice@example.com"}, excess_length=1)
LARGE = request("POST /api/login/", b"Content-Length: 70000", body=b" " * 70_000)
BROKEN_OFF = "a body that breaks off"
REFUSED = {
    "a coding besides chunked": (CODED, 400, "bad_request"),
    "two hosts": (request("GET /livez", HOST_HEADER.strip()), 400, "bad_request"),
    "no host": (request("GET /livez", host=b""), 400, "bad_request"),
    "a method in lower case": (request("get /livez"), 400, "bad_request"),
    BROKEN_OFF: (BROKEN, 400, "parse_error"),
    "a body that is too large": (LARGE, 413, "content_too_large"),
}
HEADERS = {"content-security-policy", "cross-origin-resource-policy", "cross-origin-opener-policy", "referrer-policy"}
HEADERS |= {"x-content-type-options", "cache-control", "content-type", "content-length", "date"}


def send(connection: Connection, reason: str) -> Connection:
    connection.send(REFUSED[reason][0])
    return connection.shutdown_write() if reason == BROKEN_OFF else connection


@pytest.mark.parametrize("reason", REFUSED)
def test_an_early_refusal_has_the_headers_of_all_refusals(
    open_connection: Callable[[], Connection], reason: str
) -> None:
    _, status, code = REFUSED[reason]
    early = send(open_connection(), reason).read_response("POST /api/login/")
    usual = open_connection().send(request("GET /api/me/")).read_response("GET /api/me/")
    assert_problem(early, status, code)
    assert_problem(usual, 401, "not_authenticated")
    for name in HEADERS - {"content-length", "date"}:
        assert early.headers[name] == usual.headers[name], name
    assert set(early.headers) - {"connection"} <= set(usual.headers)


@pytest.mark.parametrize("reason", REFUSED)
def test_an_early_refusal_leaves_one_line_in_the_log(
    open_connection: Callable[[], Connection], http_server: Server, reason: str
) -> None:
    status = REFUSED[reason][1]
    begun = http_server.log.stat().st_size
    assert send(open_connection(), reason).read_response().status_code == status
    deadline = time.monotonic() + 5
    while not (lines := http_server.log.read_text()[begun:].splitlines()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (line,) = lines
    assert "request_finished" in line
    assert f"code={status}" in line
    assert "request_id=" in line
    assert "alice@example.com" not in line


@pytest.mark.parametrize("host", [b"", HOST_HEADER + HOST_HEADER])
def test_an_early_refusal_of_head_has_no_body(open_connection: Callable[[], Connection], host: bytes) -> None:
    refused = open_connection().send(request("HEAD /livez", host=host))
    answer = refused.read_response("HEAD /livez")
    assert (answer.status_code, answer.headers["connection"]) == (400, "close")
    assert refused.is_closed()
    assert open_connection().send(request("HEAD /livez")).read_response("HEAD /livez").status_code == 200


@pytest.mark.ledger("ASVS-4.1.4")
@pytest.mark.parametrize("method", ["get", "Post", "post", "pOST", "connect"])
def test_methods_are_in_upper_case(open_connection: Callable[[], Connection], alice: Person, method: str) -> None:
    signing_in = post("/api/login/", {"email": alice.email, "password": alice.password})
    assert_problem(
        open_connection().send(signing_in.replace(b"POST", method.encode(), 1)).read_response(), 400, "bad_request"
    )
    assert open_connection().send(signing_in).read_response().status_code == 200
