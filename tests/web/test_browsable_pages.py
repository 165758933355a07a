"""Browsable pages: the same statuses as in JSON, and escaped markup of users."""

import html
import json
import re
from typing import Any

import httpx
import pytest

from tests.people import PASSWORD, Person

HTML = {"Accept": "text/html"}


@pytest.mark.parametrize("token", ["x", "a.b.c", "ended"])
def test_browsable_page_with_an_invalid_token_answers_401(alice: Person, token: str) -> None:
    assert alice.http.get("/api/me/", headers=HTML | alice.bearer()).status_code == 200
    if token == "ended":
        alice.logout()
        token = alice.access_token
    for method in ("GET", "PUT", "PATCH"):
        answer = alice.http.request(method, "/api/me/", headers=HTML | alice.bearer(token), json={"username": "a"})
        assert answer.status_code == 401
        assert answer.headers["Content-Type"].startswith("text/html")
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        assert "invalid_token" in answer.text
        assert "<textarea" not in answer.text


def test_browsable_page_escapes_markup_in_the_display_name(alice: Person) -> None:
    name = "</textarea><script>alert(1)</script>"
    answer = alice.http.put("/api/me/", headers=HTML | alice.bearer(), json={"username": name})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


@pytest.mark.parametrize("name", ["register", "login", "refresh", "logout"])
def test_browsable_page_of_a_post_endpoint_explains_what_to_do(alice: Person, name: str) -> None:
    answer = alice.http.get(f"/api/{name}/", headers=HTML)
    assert answer.status_code == 405
    assert "fill in the body below" in answer.text
    assert "<textarea" in answer.text
    assert "application/problem+json" in answer.text


def form_text(page: httpx.Response) -> str:
    """Return the text in the form for the body."""
    (text,) = re.findall(r"<textarea[^>]*>(.*?)</textarea>", page.text, re.DOTALL)
    return html.unescape(text).strip()


def form_body(page: httpx.Response) -> dict[str, Any]:
    """Return what the form for the body is filled with."""
    body: dict[str, Any] = json.loads(form_text(page))
    return body


PATHS_WITH_BODY = [
    *("register", "login", "refresh", "logout", "password/reset", "password/reset/confirm", "email/verify"),
    *("email/verify/resend", "email/change/confirm", "revoke"),
]


@pytest.mark.parametrize("path", PATHS_WITH_BODY)
def test_browsable_form_is_never_filled_with_members_of_an_error(http: httpx.Client, path: str) -> None:
    for method in ("GET", "POST", "PUT"):
        page = http.request(method, f"/api/{path}/", headers=HTML, json={} if method == "POST" else None)
        assert page.status_code in (400, 405, 415)
        text = form_text(page)
        assert not re.search("method_not_allowed|invalid|parse_error|problem|unsupported|400|405|415", text), text
        if path != "revoke":
            assert set(form_body(page).values()) == {""}


def test_browsable_forms_of_mailed_codes_are_empty(http: httpx.Client) -> None:
    fields = {
        "password/reset/confirm": {"token", "email", "code", "new_password"},
        "email/verify": {"token", "email", "code"},
    }
    for path, names in (fields | {"email/change/confirm": {"token", "code"}}).items():
        assert form_body(http.get(f"/api/{path}/", headers=HTML)) == dict.fromkeys(names, "")


def test_browsable_page_keeps_what_was_typed_after_an_error_and_repeats_no_secret(alice: Person) -> None:
    body = {"email": "Alice@Example.com <i>", "password": "not that one"}
    page = alice.http.post("/api/login/", json=body | {"email": "alice@example.com"}, headers=HTML)
    assert page.status_code == 401
    assert form_body(page) == {"email": "alice@example.com", "password": ""}
    page = alice.http.post("/api/register/", json=body, headers=HTML)
    assert page.status_code == 400
    assert form_body(page) == {"email": "Alice@Example.com <i>", "password": ""}
    assert "<i>" not in page.text
    reset = {"token": "a" * 43, "email": alice.email, "code": "1234-5678", "new_password": "a secret of mine"}
    page = alice.http.post("/api/password/reset/confirm/", json=reset, headers=HTML)
    assert form_body(page) == {"token": "", "email": alice.email, "code": "", "new_password": ""}
    for secret in ("not that one", "a" * 43, "1234-5678", "a secret of mine"):
        assert secret not in page.text
    page = alice.http.put("/api/me/", json={"username": "x" * 151}, headers=HTML | alice.bearer())
    assert form_body(page) == {"username": "x" * 151}
    page = alice.http.put("/api/me/", json={"username": "Alice"}, headers=HTML | alice.bearer())
    assert form_body(page) == {"username": "Alice"}


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"7", b'{"email": 7, "password": []}', b'{"email": {"x": "y"}}', b"\xff"]
)
def test_browsable_page_of_a_malformed_body_has_an_empty_form(http: httpx.Client, content: bytes) -> None:
    json_type = {"Content-Type": "application/json"}
    page = http.post("/api/login/", content=content, headers=HTML | json_type)
    assert page.status_code == 400
    assert form_body(page) == {"email": "", "password": ""}


BOX = "Put an access token into the box above"


@pytest.mark.parametrize(
    ("path", "body", "hint"),
    [
        (
            "/api/login/",
            {"email": "alice@example.com", "password": "wrong"},
            "Check the e-mail address and the password",
        ),
        ("/api/refresh/", {"refresh_token": "8f14e45f-ceea-467f-a8f0-3f6d0b1a2c3d"}, "Sign in again"),
        ("/api/password/change/", {"current_password": "x", "new_password": "y"}, BOX),
        ("/api/register/", {"email": "alice@example.com", "password": PASSWORD}, ""),
    ],
)
def test_browsable_page_gives_the_hint_that_belongs_to_the_error(
    alice: Person, path: str, body: dict[str, str], hint: str
) -> None:
    page = alice.http.post(path, json=body, headers=HTML)
    assert page.status_code in (400, 401)
    assert (BOX in page.text) == (hint == BOX)
    assert hint in page.text


def test_browsable_page_of_a_wrong_password_of_a_signed_in_user_does_not_ask_for_a_token(alice: Person) -> None:
    body = {"current_password": "wrong", "new_password": "seven purple trains to the sea"}
    page = alice.http.post("/api/password/change/", json=body, headers=HTML | alice.bearer())
    assert page.status_code == 400
    assert BOX not in page.text
    assert form_body(page) == {"current_password": "", "new_password": ""}
