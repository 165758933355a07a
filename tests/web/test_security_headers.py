"""Security headers of every response: CSP, framing, sniffing, caching, CORS."""

from typing import Any

import httpx
import pytest

from latchkey.core.exceptions import ServiceUnavailable
from tests.people import Person
from tests.support.admin_pages import Browser

PATHS = ["/", "/api/", "/api/me/", "/api-doc/", "/api-doc/schema/", "/admin/login/", "/livez", "/nowhere"]


@pytest.mark.parametrize("path", [*PATHS, "/static/latchkey/home.css"])
@pytest.mark.ledger("ASVS-3.4.4", "ASVS-3.4.5", "ASVS-3.4.6", "ASVS-3.5.8", "CS-REST-2")
def test_responses_forbid_sniffing_framing_and_embedding(http: httpx.Client, path: str) -> None:
    headers = http.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/api-doc/", "/admin/login/", "/api/login/"])
@pytest.mark.ledger("ASVS-3.4.3", "ASVS-3.4.8", "ASVS-4.1.1")
def test_pages_allow_scripts_only_from_own_files(http: httpx.Client, path: str) -> None:
    answer = http.get(path, headers={"Accept": "text/html"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "object-src 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "<script>" not in answer.text
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.ledger("ASVS-3.2.1", "ASVS-14.3.2", "RFC6749-5.1", "RFC9111-3.5", "REG-DJANGO-09")
def test_api_responses_have_a_strict_csp_and_no_store(alice: Person) -> None:
    for answer in (alice.try_refresh(), alice.me(), alice.logout(), alice.try_refresh()):
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers


@pytest.mark.ledger("ASVS-3.4.2", "H-HDR-05", "RFC9700-2.6-2")
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example.com.evil.example"])
def test_foreign_origin_gets_no_access_control_allow_origin(alice: Person, origin: str) -> None:
    assert "access-control-allow-origin" not in alice.http.get("/api/me/", headers={"Origin": origin}).headers


@pytest.mark.ledger("ASVS-13.4.6")
@pytest.mark.parametrize("path", PATHS)
def test_responses_do_not_name_django_or_python(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert "x-powered-by" not in answer.headers
    assert not any(name in answer.headers.get("server", "").lower() for name in ("django", "python"))


@pytest.mark.parametrize("origin", ["https://app.example", "capacitor://localhost", "http://localhost:3000"])
def test_preflight_allows_the_headers_of_tracing_and_of_retries(http: httpx.Client, settings: Any, origin: str) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example", "capacitor://localhost", "http://localhost:3000"]
    wanted = "authorization,baggage,content-type,idempotency-key,sentry-trace,traceparent,tracestate,x-request-id"
    preflight = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": wanted,
    }
    for path in ("/api/login/", "/api/refresh", "/api/me/"):
        answer = http.options(path, headers=preflight)
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert {*wanted.split(",")} <= {*answer.headers["Access-Control-Allow-Headers"].split(", ")}


def test_scripts_of_an_allowed_origin_can_read_the_headers_of_errors(alice: Person, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    origin = {"Origin": "https://app.example"}
    for answer in (
        alice.http.post("/api/login/", json={"email": alice.email, "password": "wrong"}, headers=origin),
        alice.http.get("/api/me/", headers=origin),
        alice.http.get("/api/me/", headers=origin | alice.bearer()),
        alice.http.get("/nothing", headers=origin),
    ):
        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert exposed == ["Retry-After", "WWW-Authenticate", "X-Request-ID"]
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"


def test_allowed_origin_gets_cors_headers_on_early_rejections(http: httpx.Client, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    refused: dict[str, Any] = {"latchkey.error": ServiceUnavailable()}
    answers = [
        Browser(HTTP_ORIGIN=origin, HTTP_HOST="127.0.0.1", **refused).post("/api/login/")
        for origin in ("https://app.example", "https://mallory.example")
    ]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[0]["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Access-Control-Allow-Origin" not in answers[1]
