"""Security of the admin's sign-in: form, cookies, session fixation and redirects."""

import re
from urllib.parse import urlsplit

import httpx
import pytest

from latchkey.sessions.models import Session
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import PASSWORD, Person
from tests.support.admin_pages import USERS, Browser
from tests.support.package_ast import PACKAGE

SIGN_IN = {"username": SUPERUSER_EMAIL, "password": PASSWORD}
FOREIGN_URLS = ["//evil.example", "https:evil.example", "\\\\evil.example", "https://evil.example/", "/\\evil.example"]
FOREIGN_URLS += [
    "javascript:alert(1)",
    "///evil.example",
    "\thttps://evil.example",
    "//evil.example%2f..",
    "https:///evil.example",
]


@pytest.mark.ledger("ASVS-3.3.2", "ASVS-3.3.4", "ASVS-3.3.5", "NIST-5.1.1")
def test_admin_cookies_are_small_samesite_and_httponly(admin: Browser, alice: Person) -> None:
    browser = Browser()
    browser.get("/admin/login/")
    browser.post("/admin/login/", {**SIGN_IN, "next": "/admin/"})
    assert set(browser.cookies) == {"sessionid", "csrftoken"}
    assert browser.cookies["sessionid"]["httponly"] is True
    for morsel in browser.cookies.values():
        assert (morsel["samesite"], morsel["path"], morsel["domain"]) == ("Lax", "/", "")
        assert len(morsel.OutputString()) < 4096
        assert SUPERUSER_EMAIL not in morsel.value
    assert not alice.http.cookies


@pytest.mark.ledger("ASVS-6.2.7", "NIST-3.1.1.2-14")
def test_admin_login_form_allows_password_managers_and_pasting(http: httpx.Client) -> None:
    page = http.get("/admin/login/").text
    field = re.search(r'<input type="password"[^>]*>', page)
    assert field is not None
    assert 'autocomplete="current-password"' in field[0]
    assert not re.search(r"onpaste|oncopy|oninput|maxlength", field[0])
    scripts = [path.read_text() for path in (PACKAGE / "static").rglob("*.js")]
    assert scripts
    assert not any("paste" in script for script in scripts)


@pytest.mark.ledger("ASVS-7.2.4")
def test_admin_login_creates_a_new_session_cookie_each_time(admin: Browser) -> None:
    browser = Browser()
    browser.cookies["sessionid"] = "x" * 32
    keys = ["x" * 32]
    for _ in range(2):
        browser.post("/admin/login/", {**SIGN_IN, "next": "/admin/"})
        assert browser.get("/admin/").status_code == 200
        keys.append(browser.cookies["sessionid"].value)
    assert len(set(keys)) == 3
    for old in keys[:-1]:
        browser.cookies["sessionid"] = old
        assert browser.get("/admin/").status_code == 302


@pytest.mark.ledger("ASVS-7.2.4")
def test_login_leaves_earlier_sessions_unchanged(alice: Person) -> None:
    first, before = alice.refresh_token, Session.objects.values().get()
    assert alice.login().refresh_token != first
    assert Session.objects.values().get(pk=before["id"]) == before


@pytest.mark.ledger("ASVS-3.7.2", "RFC9700-2.1-1")
@pytest.mark.parametrize("target", FOREIGN_URLS)
def test_admin_login_does_not_redirect_to_another_host(admin: Browser, target: str) -> None:
    for query, body in (({"next": target}, {}), ({}, {"next": target})):
        answer = Browser().post("/admin/login/", {**SIGN_IN, **body}, query_params=query)
        assert answer.status_code == 302
        assert re.fullmatch(r"/\w[\w/]*", answer["Location"])
        assert "evil" not in answer["Location"]
    assert Browser().post("/admin/login/", {**SIGN_IN, "next": USERS})["Location"] == USERS


@pytest.mark.ledger("REG-GUNICORN-03", "RFC9700-2.1-1")
@pytest.mark.parametrize("path", ["/admin/x%0d%0aX-Evil:%201", "/admin/?a=%0d%0aX-Evil:%201", "/admin//evil.example"])
def test_admin_redirect_percent_encodes_the_requested_path(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code in (302, 404)
    assert "X-Evil" not in answer.headers
    location = answer.headers.get("Location", "/admin/login/")
    assert (urlsplit(location).netloc, urlsplit(location).path) == ("", "/admin/login/")
    assert re.fullmatch(r"[\x21-\x7e]+", location)
