"""Persistent connections: responses keep the order of requests, and Connection headers are respected."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import drf_spectacular_sidecar
import pytest

from latchkey.server.slow_heads import HEAD_TIMEOUT
from tests.server import Server
from tests.support.http_connection import Connection, request

BUNDLE = "static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"


def test_pipelined_requests_are_answered_in_order(open_connection: Callable[[], Connection]) -> None:
    request_lines = ["GET /livez", "GET /nothing", "HEAD /api/", "OPTIONS /api/login/", "GET /api/me/"] * 5
    connection = open_connection().send(b"".join(request(line) for line in request_lines))
    assert [connection.read_response(line).status_code for line in request_lines] == [200, 404, 200, 204, 401] * 5
    assert connection.buffer == b""


@pytest.mark.parametrize(
    ("version", "connection_header", "stays"),
    [("1.1", b"", True), ("1.1", b"close", False), ("1.0", b"", False), ("1.0", b"keep-alive", True)],
)
def test_connection_header_and_http_version_decide_whether_the_connection_closes(
    open_connection: Callable[[], Connection], version: str, connection_header: bytes, stays: bool
) -> None:
    message = request("GET /livez", b"Connection: " + connection_header).replace(
        b"HTTP/1.1", f"HTTP/{version}".encode()
    )
    connection = open_connection().send(message if connection_header else message.replace(b"Connection: \r\n", b""))
    assert connection.read_response().json() == {"status": "ok"}
    if stays:
        assert connection.send(request("GET /livez")).read_response().json() == {"status": "ok"}
    else:
        assert connection.is_closed()


def test_large_static_file_is_sent_completely(open_connection: Callable[[], Connection]) -> None:
    connection = open_connection().send(request(f"GET /{BUNDLE}"))
    sent = connection.read_response(f"GET /{BUNDLE}")
    kept = Path(drf_spectacular_sidecar.__file__).parent / "static" / BUNDLE.removeprefix("static/")
    assert sent.content == kept.read_bytes()
    assert len(sent.content) > 1_000_000


LIVEZ = request("GET /livez")
SLACK = 4.0
"""Seconds until the end of a slow header section is noticed, on a busy machine."""


def open_answered(port: int) -> Connection:
    """Open a connection and send one request over it."""
    connection = Connection(port).send(LIVEZ)
    assert connection.read_response().status_code == 200
    return connection


def test_idle_connection_stays_open_for_longer_than_a_header_section_may_take(http_server: Server) -> None:
    with open_answered(http_server.port) as idle:
        assert not idle.is_closed(HEAD_TIMEOUT + SLACK)
        assert idle.send(LIVEZ).read_response().status_code == 200


@pytest.mark.parametrize(
    ("before", "begun", "further"),
    [(b"", b"", b""), (b"", b"GET /li", b""), (b"", b"GET /livez HTTP/1.1\r\nX: ", b"x"), (LIVEZ, b"GET /li", b"v")],
    ids=["no byte", "part", "byte by byte", "byte by byte, after a request"],
)
def test_slow_header_section_is_cut_off_after_10_seconds(
    http_server: Server, before: bytes, begun: bytes, further: bytes
) -> None:
    with Connection(http_server.port) as slow:
        if before:
            assert slow.send(before).read_response().status_code == 200
            assert not slow.is_closed(2)  # so that the bytes that follow are of the next request
        started = time.monotonic()
        slow.send(begun)
        with suppress(OSError):  # it was closed between two bytes
            while not slow.is_closed(0.5):
                assert time.monotonic() - started < HEAD_TIMEOUT + SLACK
                slow.send(further)
        assert time.monotonic() - started > HEAD_TIMEOUT - 1


def test_slow_body_is_not_taken_for_a_slow_header_section(http_server: Server) -> None:
    message = request("POST /api/login/", b"Content-Type: application/json", b"Content-Length: 2")
    with Connection(http_server.port, timeout=20) as connection:
        for _ in range(2):  # together longer than a header section may take
            assert not connection.send(message).is_closed(HEAD_TIMEOUT / 2 + 1)
            assert connection.send(b"{}").read_response("POST /api/login/").status_code == 400


@pytest.fixture
def short_keep_alive(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, workers=1)
    server.options = ("--keep-alive", "12")
    yield server.start()
    server.kill()


def test_keep_alive_option_closes_idle_connections(short_keep_alive: Server) -> None:
    with open_answered(short_keep_alive.port) as idle:
        assert not idle.is_closed(HEAD_TIMEOUT)
        assert idle.is_closed(SLACK)
