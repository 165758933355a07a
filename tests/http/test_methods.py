"""HTTP methods: each path accepts its own and names them in Allow when it rejects another."""

from collections.abc import Callable

import httpx
import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.support.http_connection import Connection, request

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "FOO", "PROPFIND"]
SIGNED_IN = {"GET", "HEAD", "PUT", "PATCH", "OPTIONS"}
READ = {"GET", "HEAD", "OPTIONS"}
ALLOWED = {
    "/": {"GET", "HEAD"},
    "/livez": {"GET", "HEAD"},
    "/readyz": {"GET", "HEAD"},
    "/api/": READ,
    "/api-doc/": READ,
    "/api-doc/schema/": READ,
    **{
        f"/api/{endpoint}{slash}": {"POST", "OPTIONS"}
        for endpoint in ("register", "login", "refresh", "logout")
        for slash in ("", "/")
    },
    **{
        f"/api/{endpoint}{slash}": methods
        for endpoint, methods in {
            "me": SIGNED_IN | {"DELETE"},
            "me/email": READ,
            "me/events": READ,
            "me/export": READ,
            "me/factors": READ,
            "me/totp": {"POST", "DELETE", "OPTIONS"},
            "me/recovery-codes": {"POST", "OPTIONS"},
            "me/passkeys": READ | {"POST"},
            "me/passkeys/1": {"PATCH", "DELETE", "OPTIONS"},
            "login/passkey/options": {"POST", "OPTIONS"},
            "sessions": READ | {"DELETE"},
            "sessions/1": {"DELETE", "OPTIONS"},
            "password/change": {"POST", "OPTIONS"},
            "password/reset": {"POST", "OPTIONS"},
            "email/change/confirm": {"POST", "OPTIONS"},
        }.items()
        for slash in ("", "/")
    },
}


@pytest.mark.ledger("ASVS-4.1.4")
@pytest.mark.parametrize("path", ALLOWED)
def test_method_that_a_path_does_not_support_returns_405_with_allow(
    open_connection: Callable[[], Connection], alice: Person, path: str
) -> None:
    bearer = f"Authorization: Bearer {alice.access_token}".encode()
    connection = open_connection()
    for method in METHODS:
        answer = connection.send(request(f"{method} {path}", bearer, b"X-Secret: s3cret")).read_response(
            f"{method} {path}"
        )
        if method in ALLOWED[path]:
            assert answer.status_code != 405, method
            continue
        assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (405, ALLOWED[path]), method
        if method != "HEAD":
            assert_problem(answer, 405, "method_not_allowed")
        assert "s3cret" not in str(answer.headers) + answer.text


@pytest.mark.ledger("ASVS-13.4.4")
@pytest.mark.parametrize("path", [*ALLOWED, "/admin", "/static/latchkey/home.css", "/nothing", "*"])
def test_trace_request_echoes_no_header(open_connection: Callable[[], Connection], alice: Person, path: str) -> None:
    bearer = f"Authorization: Bearer {alice.access_token}".encode()
    answer = (
        open_connection()
        .send(request(f"TRACE {path}", bearer, b"X-Secret: s3cret", b"Cookie: s3cret=s3cret"))
        .read_response()
    )
    assert answer.status_code in (404, 405)
    assert "s3cret" not in str(answer.headers) + answer.text


@pytest.mark.parametrize("target", ["127.0.0.1:80", "evil.example:443"])
def test_connect_request_returns_405(open_connection: Callable[[], Connection], target: str) -> None:
    connection = open_connection().send(request(f"CONNECT {target}"))
    assert_problem(connection.read_response(), 405, "method_not_allowed")
    assert connection.send(request("GET /livez")).read_response().json() == {"status": "ok"}


@pytest.mark.ledger("RFC9110-15.5.2")
def test_endpoints_that_return_401_have_a_www_authenticate_header(client: httpx.Client, alice: Person) -> None:
    alice.logout()
    for method in ("GET", "PUT", "PATCH", "OPTIONS"):
        assert_problem(client.request(method, "/api/me/"), 401, "not_authenticated")
        assert_problem(client.request(method, "/api/me/", headers=alice.bearer()), 401, "invalid_token")
    wrong = {"email": alice.email, "password": "not hers"}
    assert_problem(client.post("/api/login/", json=wrong), 401, "invalid_credentials")
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
