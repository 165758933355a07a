"""Request bodies: framing by length or chunks, size limit, Expect: 100-continue and shutdown."""

import signal
import threading
from collections.abc import Callable

import httpx
import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.server import Server
from tests.support.http_connection import Connection, post, request

LIMIT = 64 * 1024


def in_chunks(whole: bytes, size: int) -> bytes:
    """Return a request with its body in chunks of this size, without the last chunk."""
    head, body = whole.split(b"\r\n\r\n", 1)
    kept = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"\r\n".join([*kept, b"Transfer-Encoding: chunked", b"", framed])


@pytest.mark.ledger("H-JSON-13")
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_chunked_request_body_is_read_completely_or_rejected(
    open_connection: Callable[[], Connection], alice: Person, size: int
) -> None:
    partial = in_chunks(post("/api/refresh/", {"refresh_token": alice.refresh_token}), size)
    assert_problem(open_connection().send(partial).shutdown_write().read_response(), 400, "parse_error")
    assert open_connection().send(partial + b"zz\r\n").read_response().status_code == 400
    connection = open_connection().send(partial + b"0\r\n\r\n" + request("GET /livez"))
    assert connection.read_response().json()["refresh_token"] != alice.refresh_token
    assert connection.read_response().json() == {"status": "ok"}


@pytest.mark.parametrize("chunked", [True, False])
def test_request_body_of_64_kb_is_read_and_one_byte_more_returns_413(
    open_connection: Callable[[], Connection], alice: Person, chunked: bool
) -> None:
    fitting = post("/api/refresh/", {"refresh_token": alice.refresh_token, "x": ""})
    room = LIMIT - len(fitting.partition(b"\r\n\r\n")[2])
    for more, status in ((1, 413), (0, 200)):
        message = post("/api/refresh/", {"refresh_token": alice.refresh_token, "x": "x" * (room + more)})
        message = in_chunks(message, 5000) + b"0\r\n\r\n" if chunked else message
        connection = open_connection().send(message + request("GET /livez"))
        answer = connection.read_response("POST /api/refresh/")
        assert answer.status_code == status
        if status == 413:
            assert_problem(answer, 413, "content_too_large")
        assert connection.read_response().json() == {"status": "ok"}


def test_expect_100_continue_gets_100_before_the_body(open_connection: Callable[[], Connection], alice: Person) -> None:
    whole = post("/api/refresh/", {"refresh_token": alice.refresh_token}, b"Expect: 100-continue")
    head, body = whole.split(b"\r\n\r\n")
    connection = open_connection().send(head + b"\r\n\r\n")
    assert connection.read_response().status_code == 100
    assert connection.send(body).read_response().status_code == 200


def test_expect_100_continue_of_a_bad_request_is_rejected_before_the_body(
    open_connection: Callable[[], Connection],
) -> None:
    head = request("POST /api/login/", b"Content-Length: 10", b"Expect: 100-continue", host=b"")
    connection = open_connection().send(head)
    assert_problem(connection.read_response(), 400, "bad_request")
    assert connection.is_closed()


def test_server_stop_waits_for_a_request_body_in_transit(server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        alice = Person(http, "alice@example.com").register().login()
    whole = post("/api/refresh/", {"refresh_token": alice.refresh_token})
    with Connection(server.port, 20) as connection, Connection(server.port, 20) as stalled:
        connection.send(whole[:-10])
        stalled.send(whole[:-10])
        assert httpx.get(f"{server.url}/livez").status_code == 200
        stopping = threading.Thread(target=server.stop, args=[signal.SIGTERM])
        stopping.start()
        while _accepts(server.port):
            pass
        assert connection.send(whole[-10:]).read_response().status_code == 200
        assert_problem(stalled.read_response(), 408, "request_timeout")
        stopping.join(30)
    assert server.process is not None
    assert server.process.returncode == 0
    assert "Traceback" not in server.log.read_text()


def _accepts(port: int) -> bool:
    try:
        with Connection(port, 1) as connection:
            return connection.send(request("GET /livez")).read_response().status_code == 200
    except (OSError, AssertionError):
        return False


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c"])
def test_upgrade_header_is_ignored(open_connection: Callable[[], Connection], upgrade: bytes) -> None:
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13"
    upgrade_request = request("GET /livez", b"Connection: Upgrade", b"Upgrade: " + upgrade, key)
    connection = open_connection().send(upgrade_request + request("GET /livez"))
    assert connection.read_response().json() == {"status": "ok"}
    assert connection.read_response().json() == {"status": "ok"}
