"""Refusals have the one shape at every address, of the API or not, and whatever a client accepts."""

from typing import Any

import httpx
import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.support.endpoints import ENDPOINTS, nothing_changes, send, valid_body

ADDRESSES = ["/", "/api/", "/api/login/", "/api/me/", "/api-doc/", "/api-doc/schema/", "/admin/", "/livez", "/nothing"]
NOWHERE = ["/nothing", "/api/nothing/", "/api/me/1", "/api-doc/x", "/static/nothing.js", "/static/", "/.env", "/%00"]
NOWHERE += ["/../etc/passwd", "/api/../../x", "/" + "x" * 8000, "/livez/", "/<script>", "/{{7*7}}", "/favicon.ico"]
HOSTS = ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "127.0.0.1:x", "a b", "", "<x>"]
UNSPOKEN = ["application/xml", "text/plain", "image/*", "garbage", "application/jsonp", "x" * 8000, "/", ","]
ACCEPTS = ["application/json", "text/html", "application/xml", "*/*", "garbage", ""]


@pytest.mark.ledger("H-SLASH-03", "RFC9457-3", "ASVS-13.4.3")
@pytest.mark.parametrize("path", NOWHERE)
def test_an_unknown_address_is_not_found(http: httpx.Client, path: str) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS", "FOO"):
        for accept in ACCEPTS:
            assert_problem(http.request(method, path, headers={"Accept": accept}), 404, "not_found")


@pytest.mark.ledger("H-HOST-01")
@pytest.mark.parametrize("host", HOSTS)
def test_another_host_is_refused_everywhere(http: httpx.Client, host: str) -> None:
    for path in ADDRESSES:
        answer = http.get(path, headers={"Host": host})
        assert_problem(answer, 400, "bad_request", ["body"])
        assert not host or host not in answer.text


@pytest.mark.ledger("H-HDR-02", "RFC9110-15.5.7")
@pytest.mark.parametrize("accept", UNSPOKEN)
def test_what_we_do_not_speak_is_not_acceptable_and_nothing_is_done(alice: Person, accept: str) -> None:
    with nothing_changes():
        for name in ENDPOINTS:
            assert_problem(send(alice, name, valid_body(alice, name), Accept=accept), 406, "not_acceptable")
        assert_problem(alice.http.get("/api/", headers={"Accept": accept}), 406, "not_acceptable")
    assert alice.try_refresh().status_code == 200


@pytest.mark.parametrize("path", ["/api-doc/", "/api-doc/schema/"])
@pytest.mark.parametrize("accept", ["application/xml", "garbage"])
def test_the_documentation_refuses_in_the_one_shape_too(http: httpx.Client, path: str, accept: str) -> None:
    assert_problem(http.get(path, headers={"Accept": accept}), 406, "not_acceptable")


@pytest.mark.ledger("RFC9457-5")
@pytest.mark.parametrize("path", ["/api/mistake/", "/mistake"])
def test_a_mistake_of_ours_tells_nothing(http: httpx.Client, settings: Any, path: str) -> None:
    settings.ROOT_URLCONF = "tests.support.raising_urls"
    for accept in ("application/json", "text/html", "*/*"):
        answer = http.get(path, headers={"Accept": accept})
        assert_problem(answer, 500, "server_error")
        assert "secret" not in answer.text
    assert http.get("/livez").status_code == 200


@pytest.mark.ledger("H-HDR-05", "RFC9700-2.6-2")
@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_no_other_origin_is_let_in(alice: Person, origin: str) -> None:
    answers = [alice.http.get("/api/me/", headers=alice.bearer() | {"Origin": origin})]
    preflight = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    answers.append(alice.http.options("/api/me/", headers=preflight))
    for answer in answers:
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.ledger("CS-REST-2")
@pytest.mark.parametrize("path", ["/api/login/", "/api/me/", "/api/", "/nothing", "/livez", "/"])
def test_every_answer_carries_the_security_headers(http: httpx.Client, path: str) -> None:
    headers = http.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
