"""Errors are problem documents (RFC 9457) on every path, whatever the Accept header."""

from typing import Any

import httpx
import pytest

from tests.people import Person
from tests.problems import assert_error_page, assert_problem
from tests.support.endpoints import ENDPOINTS, nothing_changes, send, valid_body

ADDRESSES = ["/", "/api/", "/api/login/", "/api/me/", "/api-doc/", "/api-doc/schema/", "/admin/", "/nothing"]
UNKNOWN_PATHS = [
    "/nothing",
    "/api/nothing/",
    "/api/me/1",
    "/api-doc/x",
    "/static/nothing.js",
    "/static/",
    "/.env",
    "/%00",
]
UNKNOWN_PATHS += [
    "/../etc/passwd",
    "/api/../../x",
    "/" + "x" * 8000,
    "/livez/",
    "/<script>",
    "/{{7*7}}",
    "/favicon.ico",
]
HOSTS = ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "127.0.0.1:x", "a b", "", "<x>"]
UNACCEPTABLE = ["application/xml", "text/plain", "image/*", "garbage", "application/jsonp", "x" * 8000, "/", ","]
ACCEPTS = ["application/json", "text/html", "application/xml", "*/*", "garbage", ""]


@pytest.mark.ledger("H-SLASH-03", "RFC9457-3", "ASVS-13.4.3")
@pytest.mark.parametrize("path", UNKNOWN_PATHS)
def test_unknown_path_gets_a_404_problem_document(http: httpx.Client, path: str) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS", "FOO"):
        for accept in ACCEPTS:
            answer = http.request(method, path, headers={"Accept": accept})
            if accept == "text/html" and not answer.request.url.path.startswith("/api/"):
                assert_error_page(answer, 404, "Page not found")
            else:
                assert_problem(answer, 404, "not_found")


@pytest.mark.ledger("H-HOST-01")
@pytest.mark.parametrize("host", HOSTS)
def test_unknown_host_header_is_refused_on_every_path(http: httpx.Client, host: str) -> None:
    for path in ADDRESSES:
        answer = http.get(path, headers={"Host": host})
        assert_problem(answer, 400, "bad_request", ["body"])
        assert not host or host not in answer.text


@pytest.mark.ledger("H-HDR-02", "RFC9110-15.5.7")
@pytest.mark.parametrize("accept", UNACCEPTABLE)
def test_unacceptable_accept_header_gets_406_and_changes_nothing(alice: Person, accept: str) -> None:
    with nothing_changes():
        for name in ENDPOINTS:
            assert_problem(send(alice, name, valid_body(alice, name), Accept=accept), 406, "not_acceptable")
        assert_problem(alice.http.get("/api/", headers={"Accept": accept}), 406, "not_acceptable")
    assert alice.try_refresh().status_code == 200


@pytest.mark.parametrize("path", ["/api-doc/", "/api-doc/schema/"])
@pytest.mark.parametrize("accept", ["application/xml", "garbage"])
def test_api_docs_refuse_an_unacceptable_accept_header_with_a_problem_document(
    http: httpx.Client, path: str, accept: str
) -> None:
    assert_problem(http.get(path, headers={"Accept": accept}), 406, "not_acceptable")


@pytest.mark.ledger("RFC9457-5")
@pytest.mark.parametrize("path", ["/api/mistake/", "/mistake"])
def test_unhandled_exception_discloses_nothing_in_its_500_response(
    http: httpx.Client, settings: Any, path: str
) -> None:
    settings.ROOT_URLCONF = "tests.support.raising_urls"
    for accept in ("application/json", "text/html", "*/*"):
        answer = http.get(path, headers={"Accept": accept})
        if accept == "text/html" and path == "/mistake":
            assert_error_page(answer, 500, "Something went wrong")
        else:
            assert_problem(answer, 500, "server_error")
        assert "secret" not in answer.text
    assert http.get("/livez").status_code == 200


@pytest.mark.ledger("H-HDR-05", "RFC9700-2.6-2")
@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_foreign_origin_gets_no_cors_headers(alice: Person, origin: str) -> None:
    answers = [alice.http.get("/api/me/", headers=alice.bearer() | {"Origin": origin})]
    preflight = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    answers.append(alice.http.options("/api/me/", headers=preflight))
    for answer in answers:
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.ledger("CS-REST-2")
@pytest.mark.parametrize("path", ["/api/login/", "/api/me/", "/api/", "/nothing", "/livez", "/"])
def test_every_response_has_the_security_headers(http: httpx.Client, path: str) -> None:
    headers = http.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
