"""Persistent connections: responses keep the order of requests, and Connection headers are respected."""

from collections.abc import Callable
from pathlib import Path

import drf_spectacular_sidecar
import pytest

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
