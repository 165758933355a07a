"""Requests that are rejected before Django: same problem details, headers and log line as other errors."""

import time
from collections.abc import Callable

import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.server import Server
from tests.support.http_connection import HOST_HEADER, Connection, post, request

UNKNOWN_CODING = request("POST /api/login/", b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n")
SHORT_BODY = post("/api/login/", {"email": "alice@example.com"}, excess_length=1)
LARGE = request("POST /api/login/", b"Content-Length: 70000", body=b" " * 70_000)
TRUNCATED_BODY = "a truncated body"
REJECTED = {
    "a coding besides chunked": (UNKNOWN_CODING, 400, "bad_request"),
    "two hosts": (request("GET /livez", HOST_HEADER.strip()), 400, "bad_request"),
    "no host": (request("GET /livez", host=b""), 400, "bad_request"),
    "a method in lower case": (request("get /livez"), 400, "bad_request"),
    TRUNCATED_BODY: (SHORT_BODY, 400, "parse_error"),
    "a body that is too large": (LARGE, 413, "content_too_large"),
}
HEADERS = {"content-security-policy", "cross-origin-resource-policy", "cross-origin-opener-policy", "referrer-policy"}
HEADERS |= {"x-content-type-options", "cache-control", "content-type", "content-length", "date"}


def send(connection: Connection, reason: str) -> Connection:
    connection.send(REJECTED[reason][0])
    return connection.shutdown_write() if reason == TRUNCATED_BODY else connection


@pytest.mark.parametrize("reason", REJECTED)
def test_early_rejection_has_the_headers_of_other_errors(
    open_connection: Callable[[], Connection], reason: str
) -> None:
    _, status, code = REJECTED[reason]
    early = send(open_connection(), reason).read_response("POST /api/login/")
    usual = open_connection().send(request("GET /api/me/")).read_response("GET /api/me/")
    assert_problem(early, status, code)
    assert_problem(usual, 401, "not_authenticated")
    for name in HEADERS - {"content-length", "date"}:
        assert early.headers[name] == usual.headers[name], name
    assert set(early.headers) - {"connection"} <= set(usual.headers)


@pytest.mark.parametrize("reason", REJECTED)
def test_early_rejection_writes_one_log_line(
    open_connection: Callable[[], Connection], http_server: Server, reason: str
) -> None:
    status = REJECTED[reason][1]
    log_size = http_server.log.stat().st_size
    assert send(open_connection(), reason).read_response().status_code == status
    deadline = time.monotonic() + 5
    while not (lines := without_unknown_hosts(http_server.log.read_text()[log_size:])):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (line,) = lines
    assert "request_finished" in line
    assert f"code={status}" in line
    assert "request_id=" in line
    assert "alice@example.com" not in line


def without_unknown_hosts(log: str) -> list[str]:
    """Return the lines but the one about an unknown host, which is written once a minute (test_host_header.py)."""
    return [line for line in log.splitlines() if "request.refused" not in line]


@pytest.mark.parametrize("host", [b"", HOST_HEADER + HOST_HEADER])
def test_early_rejection_of_a_head_request_has_no_body(open_connection: Callable[[], Connection], host: bytes) -> None:
    connection = open_connection().send(request("HEAD /livez", host=host))
    answer = connection.read_response("HEAD /livez")
    assert (answer.status_code, answer.headers["connection"]) == (400, "close")
    assert connection.is_closed()
    assert open_connection().send(request("HEAD /livez")).read_response("HEAD /livez").status_code == 200


@pytest.mark.ledger("ASVS-4.1.4")
@pytest.mark.parametrize("method", ["get", "Post", "post", "pOST", "connect"])
def test_method_that_is_not_upper_case_returns_400(
    open_connection: Callable[[], Connection], alice: Person, method: str
) -> None:
    login = post("/api/login/", {"email": alice.email, "password": alice.password})
    assert_problem(
        open_connection().send(login.replace(b"POST", method.encode(), 1)).read_response(), 400, "bad_request"
    )
    assert open_connection().send(login).read_response().status_code == 200
