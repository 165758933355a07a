"""Request framing (RFC 9112): a request with an ambiguous end closes the connection, against request smuggling."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.people import PASSWORD
from tests.support.http_connection import Connection, post, request

LENGTHS = [b"+2", b"-1", b"0x2", b"2, 2", b"2 2", b"", b"2.0", b"9" * 30]
ENCODINGS = [
    b"Transfer-Encoding: identity, chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding: chunked, identity",
    b'Transfer-Encoding: "chunked"',
    b"Transfer-Encoding:\r\n chunked",
    b" Transfer-Encoding: chunked",
    b"X: y\r\n Transfer-Encoding: chunked",
]
LINES = [
    b"X-Folded: one\r\n two",
    b"X-Nul: a\x00b",
    b"X\x00Nul: a",
    b"X-Return: a\rb",
    b"X-Space : a",
    b"X Space: a",
    b": nameless",
    b"no colon",
]


@pytest.fixture
def email(unique_numbers: Iterator[int]) -> str:
    return f"mallory{next(unique_numbers)}@example.com"


@pytest.fixture
def canary(email: str) -> bytes:
    """A request that creates an account if the server carries it out."""
    return post("/api/register/", {"email": email, "password": PASSWORD})


@pytest.fixture
def was_processed(client: httpx.Client, email: str) -> Callable[[], bool]:
    def log_in() -> bool:
        return client.post("/api/login/", json={"email": email, "password": PASSWORD}).status_code == 200

    return log_in


def assert_refused(connection: Connection, carried_out: Callable[[], bool]) -> None:
    assert connection.read_response().status_code == 400
    assert connection.is_closed()
    assert not carried_out()


def body(framing: bytes, sent: bytes = b"{}") -> bytes:
    return request("POST /api/login/", b"Content-Type: application/json", framing, body=sent)


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (body(b"Content-Length: 2"), 400),
        (body(b"Content-Length: 70000", b"x" * 70000), 413),
        (request("DELETE /api/login/", b"Content-Length: 2", body=b"{}"), 405),
        (request("GET /api/me/"), 401),
        (request("GET /livez"), 200),
        (request("OPTIONS /api/login/"), 204),
        (request("HEAD /api/"), 200),
        (request("HEAD /api/login/"), 405),
        (request("GET /api/", host=b"Host: evil.example\r\n"), 400),
    ],
)
def test_complete_request_is_answered_and_the_pipelined_next_one_is_carried_out(
    open_connection: Callable[[], Connection],
    canary: bytes,
    was_processed: Callable[[], bool],
    first: bytes,
    status: int,
) -> None:
    connection = open_connection().send(first + canary)
    assert connection.read_response("HEAD /" if first.startswith(b"HEAD") else "GET /").status_code == status
    assert connection.read_response().status_code == 201
    assert connection.buffer == b""
    assert was_processed()


@pytest.mark.ledger("H-SMUG-06")
@pytest.mark.parametrize("length", LENGTHS)
def test_content_length_that_is_no_number_returns_400_and_closes(
    open_connection: Callable[[], Connection], canary: bytes, was_processed: Callable[[], bool], length: bytes
) -> None:
    assert_refused(open_connection().send(body(b"Content-Length: " + length) + canary), was_processed)


def test_two_different_content_lengths_return_400_and_close(
    open_connection: Callable[[], Connection], canary: bytes, was_processed: Callable[[], bool]
) -> None:
    assert_refused(open_connection().send(body(b"Content-Length: 2\r\nContent-Length: 5") + canary), was_processed)


@pytest.mark.ledger("REG-GUNICORN-02", "H-SMUG-03")
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_invalid_transfer_encoding_returns_400_and_closes(
    open_connection: Callable[[], Connection], canary: bytes, was_processed: Callable[[], bool], encoding: bytes
) -> None:
    assert_refused(open_connection().send(body(encoding, b"2\r\n{}\r\n0\r\n\r\n") + canary), was_processed)


@pytest.mark.ledger("RFC9112-6.3", "REG-GUNICORN-01")
@pytest.mark.parametrize("order", [1, -1])
def test_content_length_with_transfer_encoding_returns_400_and_closes(
    open_connection: Callable[[], Connection], canary: bytes, was_processed: Callable[[], bool], order: int
) -> None:
    framing = b"\r\n".join([b"Content-Length: 5", b"Transfer-Encoding: chunked"][::order])
    assert_refused(open_connection().send(body(framing, b"0\r\n\r\n") + canary), was_processed)


@pytest.mark.parametrize("line", LINES)
def test_malformed_header_line_returns_400_and_closes(
    open_connection: Callable[[], Connection], canary: bytes, was_processed: Callable[[], bool], line: bytes
) -> None:
    assert_refused(open_connection().send(request("GET /livez", line) + canary), was_processed)


@pytest.mark.parametrize("version", ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/9.9", "HTTP", "http/1.1", ""])
def test_http_version_other_than_1_0_or_1_1_returns_400_and_closes(
    open_connection: Callable[[], Connection], canary: bytes, was_processed: Callable[[], bool], version: str
) -> None:
    head = f"GET /livez {version}".rstrip() + "\r\nHost: 127.0.0.1\r\n\r\n"
    assert_refused(open_connection().send(head.encode() + canary), was_processed)


def test_http_2_preface_closes_the_connection(open_connection: Callable[[], Connection]) -> None:
    assert open_connection().send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00").is_closed()


def test_http_1_0_request_is_answered_and_the_connection_closes(open_connection: Callable[[], Connection]) -> None:
    connection = open_connection().send(b"GET /livez HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
    answer = connection.read_response()
    assert (answer.extensions["version"], answer.status_code) == (b"HTTP/1.0", 200)
    assert connection.is_closed()
