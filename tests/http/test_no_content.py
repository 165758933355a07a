"""Responses without a body end with their head, so that the next response on the connection is read correctly."""

from collections.abc import Callable

from tests.people import Person
from tests.support.http_connection import Connection, request


def test_verify_requests_pipelined_on_one_connection_return_204_without_a_body(
    open_connection: Callable[[], Connection], alice: Person
) -> None:
    bearer = f"Authorization: Bearer {alice.access_token}".encode()
    requests = [request("GET /api/verify/", bearer), request("HEAD /api/verify/", bearer), request("GET /api/verify/")]
    connection = open_connection().send(b"".join([*requests, request("GET /livez")]))
    for method in ("GET", "HEAD"):
        answer = connection.read_response(f"{method} /api/verify/")
        assert (answer.status_code, answer.headers["X-User-Id"], answer.content) == (204, str(alice.id), b"")
        assert not {"content-length", "transfer-encoding", "content-type"} & set(answer.headers)
    assert connection.read_response("GET /api/verify/").status_code == 401
    assert connection.read_response().json() == {"status": "ok"}
