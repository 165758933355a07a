"""Request smuggling: nginx and Latchkey frame a request alike, or nginx refuses it."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.http.test_framing import ENCODINGS, LENGTHS, LINES
from tests.people import PASSWORD, Person
from tests.proxy.tls_client import TlsConnection, with_public_host
from tests.server import Server
from tests.support.http_connection import Connection, post, request

pytestmark = pytest.mark.proxy

TWO_LENGTHS = [b"Content-Length: 2\r\nContent-Length: 2", b"Content-Length: 2\r\nContent-Length: 5"]
BOTH = [b"Content-Length: 2\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 2"]


@pytest.fixture
def email(unique_numbers: Iterator[int]) -> str:
    return f"mallory{next(unique_numbers)}@example.com"


@pytest.fixture
def canary(email: str) -> bytes:
    """A smuggled request, which creates an account if it is processed."""
    return with_public_host(post("/api/register/", {"email": email, "password": PASSWORD}))


@pytest.fixture
def was_processed(https: httpx.Client, email: str) -> Callable[[], bool]:
    def look() -> bool:
        return https.post("/api/login/", json={"email": email, "password": PASSWORD}).status_code == 200

    return look


def body(framing: bytes, sent: bytes = b"{}") -> bytes:
    return with_public_host(request("POST /api/login/", b"Content-Type: application/json", framing, body=sent))


def test_proxy_forwards_two_pipelined_requests(
    connect: Callable[[], TlsConnection], canary: bytes, was_processed: Callable[[], bool]
) -> None:
    connection = connect().send(body(b"Content-Length: 2") + canary)
    assert connection.read_response().status_code == 400
    assert connection.read_response().status_code == 201
    assert was_processed()


@pytest.mark.ledger("H-SMUG-02", "ASVS-4.2.1")
@pytest.mark.parametrize("framing", [*TWO_LENGTHS, *BOTH, *[b"Content-Length: " + length for length in LENGTHS]])
def test_proxy_refuses_an_ambiguous_content_length_and_closes_the_connection(
    connect: Callable[[], TlsConnection], canary: bytes, was_processed: Callable[[], bool], framing: bytes
) -> None:
    connection = connect().send(body(framing) + canary)
    assert connection.read_response().status_code == 400
    assert connection.is_closed()
    assert not was_processed()


@pytest.mark.ledger("H-SMUG-03", "ASVS-4.2.1")
@pytest.mark.parametrize("framing", ENCODINGS)
def test_proxy_refuses_an_ambiguous_transfer_encoding_and_closes_the_connection(
    connect: Callable[[], TlsConnection], canary: bytes, was_processed: Callable[[], bool], framing: bytes
) -> None:
    connection = connect().send(body(framing, b"2\r\n{}\r\n0\r\n\r\n") + canary)
    assert connection.read_response().status_code in (400, 501)
    assert connection.is_closed()
    assert not was_processed()


@pytest.mark.ledger("ASVS-4.2.1")
@pytest.mark.parametrize("line", LINES)
def test_proxy_refuses_a_malformed_header_line_and_closes_the_connection(
    connect: Callable[[], TlsConnection], canary: bytes, was_processed: Callable[[], bool], line: bytes
) -> None:
    connection = connect().send(with_public_host(request("GET /livez", line)) + canary)
    assert connection.read_response().status_code == 400
    assert connection.is_closed()
    assert not was_processed()


@pytest.mark.ledger("ASVS-1.5.3")
def test_proxy_and_latchkey_both_end_a_header_line_at_a_bare_line_feed(
    connect: Callable[[], TlsConnection], upstream: Server, canary: bytes, was_processed: Callable[[], bool]
) -> None:
    hidden = request("POST /api/login/", b"X: a\nTransfer-Encoding: gzip, chunked", b"Content-Length: 2", body=b"{}")
    with Connection(upstream.port) as direct:
        assert direct.send(hidden).read_response().status_code == 400  # RFC 9112 section 2.2 leaves the choice
        assert direct.is_closed()
    connection = connect().send(with_public_host(hidden) + canary)
    assert connection.read_response().status_code == 501
    assert connection.is_closed()
    assert not was_processed()


@pytest.mark.ledger("H-JSON-15")
@pytest.mark.parametrize(("expected", "status"), [(b"100-continue", 200), (b"bogus", 417), (b"100-continue, x", 417)])
def test_proxy_answers_expect_100_continue_and_refuses_other_expectations(
    connect: Callable[[], TlsConnection], alice: Person, expected: bytes, status: int
) -> None:
    whole = post("/api/refresh/", {"refresh_token": alice.refresh_token}, b"Expect: " + expected)
    head, sent = with_public_host(whole).split(b"\r\n\r\n")
    connection = connect().send(head + b"\r\n\r\n")
    answer = connection.read_response()
    if status == 200:
        assert answer.status_code == 100
        answer = connection.send(sent).read_response()
    assert answer.status_code == status
