"""DRF's browsable API: every endpoint is a page in a browser."""

import re

import httpx
import pytest

from tests.people import PASSWORD, Person
from tests.web.test_api_docs import assets

HTML = {"Accept": "text/html"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PAGES = {"/api/": 200, "/api/register/": 405, "/api/login/": 405, "/api/refresh/": 405, "/api/logout/": 405}


def assert_page(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text.lstrip().startswith("<!DOCTYPE html>")
    assert 'id="bearer-token"' in answer.text


@pytest.mark.parametrize("accept", [HTML, BROWSER])
@pytest.mark.parametrize("path", [*PAGES, "/api/login"])
def test_every_endpoint_has_a_browsable_page(http: httpx.Client, path: str, accept: dict[str, str]) -> None:
    assert_page(http.get(path, headers=accept), PAGES.get(path, 405))


def test_browsable_page_of_me_shows_the_user_with_a_token_and_401_without(alice: Person) -> None:
    asked = alice.http.get("/api/me/", headers=HTML)
    assert_page(asked, 401)
    assert asked.headers["WWW-Authenticate"] == "Bearer"
    assert "not_authenticated" in asked.text
    mine = alice.http.get("/api/me/", headers=HTML | alice.bearer())
    assert_page(mine, 200)
    assert alice.email in mine.text
    assert alice.access_token not in mine.text


def test_browsable_page_of_login_posts_and_shows_the_token_pair(alice: Person) -> None:
    answer = alice.http.post("/api/login/", json={"email": alice.email, "password": PASSWORD}, headers=HTML)
    assert_page(answer, 200)
    assert PASSWORD not in answer.text
    shown = re.search(r"&quot;access_token&quot;: &quot;([\w.-]+)&quot;", answer.text)
    assert shown is not None
    assert alice.me(shown[1]).status_code == 200


def test_browsable_page_of_an_error_has_the_same_status(alice: Person) -> None:
    body = {"email": alice.email, "password": "not that one"}
    answer = alice.http.post("/api/login/", json=body, headers=HTML)
    assert_page(answer, 401)
    assert "invalid_credentials" in answer.text
    assert "not that one" not in answer.text


@pytest.mark.parametrize("path", [*PAGES, "/api/me/"])
def test_browsable_page_loads_nothing_from_another_host(http: httpx.Client, path: str) -> None:
    loaded = assets(http.get(path, headers=HTML).text)
    assert len(loaded) >= 5
    for address in loaded:
        assert re.match(r"/(?!/)", address), address
        assert http.get(address).status_code == 200, address


@pytest.mark.ledger("REG-DRF-03", "REG-DRF-04", "REG-DRF-05")
def test_browsable_page_escapes_display_name_and_query(alice: Person) -> None:
    markup = "<img src=x onerror=alert(1)>'\"{{7*7}}"
    bearer = alice.bearer()
    assert alice.http.put("/api/me/", json={"username": markup}, headers=bearer).json()["username"] == markup
    page = alice.http.get(f"/api/me/?x={markup}", headers=HTML | bearer).text
    assert "onerror=alert(1)" in page
    assert "<img" not in page


def test_browsable_page_form_sends_json(alice: Person) -> None:
    page = alice.http.get("/api/me/", headers=HTML | alice.bearer())
    assert 'name="_content_type"' in page.text
    assert "application/json" in page.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html"])
def test_client_that_accepts_json_gets_json(alice: Person, accept: str) -> None:
    answer = alice.http.get("/api/me/", headers=alice.bearer() | {"Accept": accept})
    assert answer.headers["Content-Type"] == "application/json"
