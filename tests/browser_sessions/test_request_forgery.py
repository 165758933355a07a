"""Request forgery against the endpoints of browsers: origins, media types, tossed cookies, and CORS."""

from typing import Any

import httpx
import pytest

from tests.browser_sessions.test_browser_sessions import sign_in
from tests.people import Person
from tests.problems import assert_problem
from tests.support.browser_endpoints import COOKIE, ENDPOINTS, OWN_ORIGIN, post, set_cookie

LISTED = "https://app.example.com"
FOREIGN = {
    "no Origin": {},
    "an empty Origin": {"Origin": ""},
    "an opaque origin": {"Origin": "null"},
    "another site": {"Origin": "https://evil.example"},
    "a subdomain that was taken over": {"Origin": "https://old.app.example.com"},
    "the parent domain": {"Origin": "https://example.com"},
    "another scheme": {"Origin": "http://app.example.com"},
    "another port": {"Origin": "https://app.example.com:8443"},
    "a longer name": {"Origin": "https://app.example.com.evil.example"},
    "user information": {"Origin": "https://app.example.com@evil.example"},
    "a path": {"Origin": "https://app.example.com/"},
    "two origins": {"Origin": "https://app.example.com https://evil.example"},
    "our host on another port": {"Origin": "http://127.0.0.1:3000"},
    "our host on another scheme": {"Origin": "https://127.0.0.1:8000"},
    "a listed origin of another site": {"Origin": LISTED, "Sec-Fetch-Site": "cross-site"},
    "a referrer alone": {"Referer": "http://127.0.0.1:8000/"},
}


@pytest.fixture(autouse=True)
def listed_origin(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [LISTED]


@pytest.mark.ledger("ASVS-3.5.1", "ASVS-3.5.3")
@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("path", ENDPOINTS.values())
def test_request_of_another_origin_is_refused_before_anything_happens(
    alice: Person, path: str, headers: dict[str, str]
) -> None:
    token = sign_in(alice)
    body = {"email": alice.email, "password": alice.password}
    sent = {**headers, **alice.bearer(), "Cookie": f"{COOKIE}={token}"}
    answer = alice.http.post(path, json=body, headers=sent)
    assert_problem(answer, 403, "origin_not_allowed")
    assert "set-cookie" not in answer.headers
    assert post(alice.http, "refresh", token).status_code == 200


@pytest.mark.parametrize("site", [{}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "same-origin"}])
@pytest.mark.parametrize("origin", [OWN_ORIGIN, LISTED])
def test_request_of_an_allowed_origin_passes(alice: Person, origin: str, site: dict[str, str]) -> None:
    body = {"email": alice.email, "password": alice.password}
    assert alice.http.post("/api/browser/login/", json=body, headers={"Origin": origin, **site}).status_code == 200


def test_own_origin_is_that_of_the_public_url_behind_a_proxy(alice: Person, settings: Any) -> None:
    settings.PUBLIC_URL = "https://example.com/auth"
    body, headers = {"email": alice.email, "password": alice.password}, {"Origin": "https://example.com"}
    assert alice.http.post("/api/browser/login/", json=body, headers=headers).status_code == 200


@pytest.mark.ledger("ASVS-3.5.2")
@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize("name", ["login", "refresh", "logout"])
def test_body_that_a_form_can_send_is_refused(alice: Person, name: str, media_type: str) -> None:
    token = sign_in(alice)
    headers = {"Origin": OWN_ORIGIN, "Cookie": f"{COOKIE}={token}"} | (
        {"Content-Type": media_type} if media_type else {}
    )
    answer = alice.http.post(f"/api/browser/{name}/", content=b"{}", headers=headers)
    assert_problem(answer, 415, "unsupported_media_type")
    assert post(alice.http, "refresh", token).status_code == 200


@pytest.mark.parametrize("name", ["refresh", "logout"])
def test_request_without_a_body_and_a_media_type_is_refused(alice: Person, name: str) -> None:
    token = sign_in(alice)
    headers = {"Origin": OWN_ORIGIN, "Cookie": f"{COOKIE}={token}"}
    assert_problem(alice.http.post(f"/api/browser/{name}/", headers=headers), 415, "unsupported_media_type")
    assert post(alice.http, "refresh", token).status_code == 200


@pytest.mark.parametrize("order", [1, -1])
def test_second_cookie_of_the_name_is_refused_and_spends_nothing(alice: Person, bob: Person, order: int) -> None:
    token = sign_in(alice)
    cookies = "; ".join([f"{COOKIE}={token}", f"{COOKIE}={sign_in(bob)}"][::order])
    headers = {"Origin": OWN_ORIGIN, "Cookie": cookies}
    answer = alice.http.post("/api/browser/refresh/", json={}, headers=headers)
    assert_problem(answer, 400, "invalid", [COOKIE])
    assert post(alice.http, "refresh", token).status_code == 200


def test_logout_with_two_cookies_ends_both_sessions(alice: Person, bob: Person) -> None:
    tokens = [sign_in(alice), sign_in(bob)]
    cookies = "; ".join(f"{COOKIE}={token}" for token in tokens)
    answer = alice.http.post("/api/browser/logout/", json={}, headers={"Origin": OWN_ORIGIN, "Cookie": cookies})
    assert answer.status_code == 200
    assert [post(alice.http, "refresh", token).status_code for token in tokens] == [401, 401]


@pytest.mark.parametrize(
    "name", ["latchkey-refresh2", "x-latchkey-refresh", "LATCHKEY-REFRESH", "__Host-latchkey-refresh"]
)
def test_cookie_of_a_similar_name_is_none(alice: Person, name: str) -> None:
    headers = {"Origin": OWN_ORIGIN, "Cookie": f"{name}={sign_in(alice)}"}
    assert_problem(alice.http.post("/api/browser/refresh/", json={}, headers=headers), 401, "invalid_refresh_token")


def test_refresh_token_in_the_body_is_ignored(alice: Person) -> None:
    answer = post(alice.http, "refresh", refresh_token=alice.refresh_token)
    assert_problem(answer, 401, "invalid_refresh_token")


def test_endpoints_of_the_api_ignore_the_cookie(alice: Person) -> None:
    headers = {"Origin": OWN_ORIGIN, "Cookie": f"{COOKIE}={sign_in(alice)}"}
    assert_problem(alice.http.post("/api/refresh/", json={}, headers=headers), 400, "invalid", ["refresh_token"])
    assert_problem(alice.http.get("/api/me/", headers=headers), 401, "not_authenticated")


@pytest.mark.parametrize("path", ENDPOINTS.values())
def test_scripts_of_a_listed_origin_may_send_cookies_to_the_endpoints_of_browsers(
    http: httpx.Client, path: str
) -> None:
    preflight = {"Origin": LISTED, "Access-Control-Request-Method": "POST"}
    for address in (path, path.rstrip("/")):
        for answer in (http.options(address, headers=preflight), http.post(address, headers={"Origin": LISTED})):
            assert answer.headers["Access-Control-Allow-Origin"] == LISTED
            assert answer.headers["Access-Control-Allow-Credentials"] == "true"
            assert "origin" in answer.headers["Vary"].lower()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://old.app.example.com"])
def test_scripts_of_other_origins_can_read_nothing(http: httpx.Client, origin: str) -> None:
    for path in ENDPOINTS.values():
        for answer in (
            http.options(path, headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
            http.post(path, headers={"Origin": origin}),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control-allow-")]


@pytest.mark.parametrize("path", ["/api/login/", "/api/refresh/", "/api/me/", "/api/config/", "/account/sign-in/"])
def test_no_other_endpoint_allows_credentials_to_other_origins(http: httpx.Client, path: str) -> None:
    preflight = {"Origin": LISTED, "Access-Control-Request-Method": "POST"}
    for answer in (http.options(path, headers=preflight), http.get(path, headers={"Origin": LISTED})):
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("name", ["login", "refresh"])
@pytest.mark.parametrize("accept", ["*/*", "application/json, text/html;q=0.1"])
def test_fast_path_and_view_answer_alike(alice: Person, name: str, accept: str) -> None:
    token = sign_in(alice)
    body = {"email": alice.email, "password": alice.password} if name == "login" else {}
    headers = {"Origin": LISTED, "Accept": accept, **({"Cookie": f"{COOKIE}={token}"} if name == "refresh" else {})}
    answer = alice.http.post(f"/api/browser/{name}/", json=body, headers=headers)
    assert set(answer.json()) == {"access_token", "expires_in"}
    assert set_cookie(answer)["samesite"] == "Strict"
    assert sorted(answer.headers) == sorted(
        [
            *("content-type", "set-cookie", "content-length", "allow", "cache-control", "vary"),
            *("access-control-allow-origin", "access-control-expose-headers", "access-control-allow-credentials"),
            *("x-content-type-options", "referrer-policy", "cross-origin-opener-policy"),
            *("content-security-policy", "cross-origin-resource-policy", "x-frame-options"),
        ]
    )
