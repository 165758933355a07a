"""The six documented exchanges, made by hand on the pages of the browsable API."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.page import BrowserPage, credentials

pytestmark = pytest.mark.browser


def answer(page: Page, status: str) -> dict[str, Any]:
    """Wait until the page shows this status, and return the body that it shows."""
    shown = page.locator(".response-info")
    expect(shown).to_contain_text(f"HTTP {status}")
    text = shown.inner_text()
    body: dict[str, Any] = json.loads(text[text.index("{") :])
    return body


def send(page: Page, method: str, body: dict[str, str], status: str) -> dict[str, Any]:
    """Fill in the form with this body and press the button of this method."""
    page.locator("textarea").fill(json.dumps(body))
    page.get_by_role("button", name=method, exact=True).click()
    expect(page.locator(".request-info")).to_contain_text(method)
    return answer(page, status)


def test_browsable_api_completes_the_six_documented_exchanges(browser_page: BrowserPage) -> None:
    page = browser_page.open("/api/")
    for name in ("register", "login", "refresh", "logout", "me"):
        assert page.locator(f".response-info a[href='{browser_page.url}/api/{name}/']").count() == 1
    page.locator(f".response-info a[href='{browser_page.url}/api/register/']").click()
    alice = send(page, "POST", credentials(), "201 Created")
    pair = send(browser_page.open("/api/login/"), "POST", credentials(), "200 OK")

    page = browser_page.open("/api/me/")
    assert answer(page, "200 OK") == {"id": alice["id"], "username": "", "email": "alice@example.com"}
    assert send(page, "PUT", {"username": "Alice Liddell"}, "200 OK")["username"] == "Alice Liddell"
    expect(page.locator("textarea")).to_have_value('{\n    "username": "Alice Liddell"\n}')
    assert send(page, "PATCH", {"username": "Alice"}, "200 OK")["username"] == "Alice"

    old = {"refresh_token": pair["refresh_token"]}
    new = send(browser_page.open("/api/refresh/"), "POST", old, "200 OK")
    assert new["refresh_token"] != old["refresh_token"]
    expect(page.get_by_label("Access token")).to_have_value(new["access_token"])
    token = {"refresh_token": new["refresh_token"]}
    assert send(browser_page.open("/api/logout/"), "POST", token, "200 OK") == {"success": "User logged out."}
    expect(browser_page.open("/api/me/").locator(".response-info")).to_contain_text('"code": "invalid_token"')
    assert (
        send(browser_page.open("/api/refresh/"), "POST", token, "401 Unauthorized")["code"] == "invalid_refresh_token"
    )
    assert browser_page.foreign_requests == []
    assert [line for line in browser_page.console_errors if "Failed to load resource" not in line] == []


def test_browsable_api_me_page_sends_a_typed_access_token(browser_page: BrowserPage) -> None:
    browser_page.page.request.post(f"{browser_page.url}/api/register/", data=credentials())
    pair = browser_page.page.request.post(f"{browser_page.url}/api/login/", data=credentials()).json()
    page = browser_page.open("/api/me/")
    assert answer(page, "401 Unauthorized")["code"] == "not_authenticated"
    expect(page.get_by_text("Put an access token into the box above")).to_be_visible()
    page.get_by_label("Access token").fill("not a token")
    page.get_by_role("button", name="Send with token").click()
    expect(page.locator(".response-info")).to_contain_text("invalid_token")
    page.get_by_label("Access token").fill(pair["access_token"])
    page.get_by_role("button", name="Send with token").click()
    assert answer(page, "200 OK")["email"] == "alice@example.com"


def test_browsable_api_escapes_a_display_name_with_markup(browser_page: BrowserPage) -> None:
    hostile = "</textarea><script>document.title = 'taken'</script>"
    send(browser_page.open("/api/register/"), "POST", credentials(), "201 Created")
    send(browser_page.open("/api/login/"), "POST", credentials(), "200 OK")
    page = browser_page.open("/api/me/")
    assert send(page, "PUT", {"username": hostile}, "200 OK")["username"] == hostile
    expect(page.locator("textarea")).to_have_value(json.dumps({"username": hostile}, indent=4))
    assert page.title().endswith("Latchkey")


def test_browsable_api_login_page_shows_the_fields_and_the_errors_of_an_empty_form(browser_page: BrowserPage) -> None:
    page = browser_page.open("/api/login/")
    expect(page.locator("textarea")).to_have_value('{\n    "email": "",\n    "password": ""\n}')
    page.get_by_role("button", name="POST", exact=True).click()
    assert list(answer(page, "400 Bad Request")["errors"]) == ["email", "password"]
    assert "application/problem+json" in page.locator(".response-info").inner_text()


def test_browsable_api_keeps_a_typed_body_after_an_error_and_until_it_succeeds(browser_page: BrowserPage) -> None:
    send(browser_page.open("/api/register/"), "POST", credentials(), "201 Created")
    page = browser_page.open("/api/login/")
    send(page, "POST", credentials() | {"password": "not that one"}, "401 Unauthorized")
    expect(page.locator("textarea")).to_have_value(json.dumps(credentials() | {"password": "not that one"}))
    page.locator("textarea").fill('{"email": "alice@example.com", ')
    page.get_by_role("button", name="POST", exact=True).click()
    assert answer(page, "400 Bad Request")["code"] == "parse_error"
    expect(page.locator("textarea")).to_have_value('{"email": "alice@example.com", ')
    pair = send(page, "POST", credentials(), "200 OK")
    expect(page.locator("textarea")).to_have_value('{\n    "email": "",\n    "password": ""\n}')

    page = browser_page.open("/api/password/change/")
    body = {"current_password": "wrong", "new_password": "seven purple trains to the sea"}
    page.get_by_label("Access token").fill(pair["access_token"])
    page.get_by_role("button", name="Send with token").click()
    answer(page, "405 Method Not Allowed")  # the new page is there, whose form takes the body
    send(page, "POST", body, "400 Bad Request")
    expect(page.locator("textarea")).to_have_value(json.dumps(body))
    page.get_by_label("Access token").fill("expired")
    page.get_by_role("button", name="POST", exact=True).click()
    assert answer(page, "401 Unauthorized")["code"] == "invalid_token"
    expect(page.locator("textarea")).to_have_count(0)
    page.get_by_label("Access token").fill(pair["access_token"])
    page.get_by_role("button", name="Send with token").click()
    expect(page.locator("textarea")).to_have_value(json.dumps(body))
