"""Browsable pages: the same statuses as in JSON, and escaped markup of users."""

import pytest

from tests.people import Person

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
