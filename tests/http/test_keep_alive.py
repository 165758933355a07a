"""A connection stays open for as long as both sides want it, and answers keep the order of requests."""

from collections.abc import Callable
from pathlib import Path

import drf_spectacular_sidecar
import pytest

from tests.support.http_connection import Connection, request

BUNDLE = "static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"


def test_requests_on_one_connection_are_answered_in_order(open_connection: Callable[[], Connection]) -> None:
    asked = ["GET /livez", "GET /nothing", "HEAD /api/", "OPTIONS /api/login/", "GET /api/me/"] * 5
    connection = open_connection().send(b"".join(request(line) for line in asked))
    assert [connection.read_response(line).status_code for line in asked] == [200, 404, 200, 204, 401] * 5
    assert connection.buffer == b""


@pytest.mark.parametrize(
    ("version", "said", "stays"),
    [("1.1", b"", True), ("1.1", b"close", False), ("1.0", b"", False), ("1.0", b"keep-alive", True)],
)
def test_a_connection_closes_where_the_client_says_so(
    open_connection: Callable[[], Connection], version: str, said: bytes, stays: bool
) -> None:
    asked = request("GET /livez", b"Connection: " + said).replace(b"HTTP/1.1", f"HTTP/{version}".encode())
    connection = open_connection().send(asked if said else asked.replace(b"Connection: \r\n", b""))
    assert connection.read_response().json() == {"status": "ok"}
    if stays:
        assert connection.send(request("GET /livez")).read_response().json() == {"status": "ok"}
    else:
        assert connection.is_closed()


def test_a_large_file_arrives_whole(open_connection: Callable[[], Connection]) -> None:
    connection = open_connection().send(request(f"GET /{BUNDLE}"))
    sent = connection.read_response(f"GET /{BUNDLE}")
    kept = Path(drf_spectacular_sidecar.__file__).parent / "static" / BUNDLE.removeprefix("static/")
    assert sent.content == kept.read_bytes()
    assert len(sent.content) > 1_000_000
