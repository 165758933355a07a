"""A superuser changes a setting in a browser, and every worker applies it within two seconds."""

import time

import httpx
import jwt
import pytest
from playwright.sync_api import expect

from tests.browser.page import BrowserPage, credentials
from tests.server import ADMIN_EMAIL, Server

pytestmark = pytest.mark.browser
SETTINGS = "/admin/constance/config/"


def lifetimes(server: Server, count: int) -> set[int]:
    """Refresh this many times, each over a new connection; return the set of access token lifetimes in seconds."""
    found, pair = set(), httpx.post(f"{server.url}/api/login/", json=credentials()).json()
    for _ in range(count):
        pair = httpx.post(f"{server.url}/api/refresh/", json={"refresh_token": pair["refresh_token"]}).json()
        claims = jwt.decode(pair["access_token"], options={"verify_signature": False})
        found.add(claims["exp"] - claims["iat"])
    return found


def test_admin_change_of_the_access_token_lifetime_reaches_every_worker_within_two_seconds(
    browser_page: BrowserPage, server: Server
) -> None:
    httpx.post(f"{server.url}/api/register/", json=credentials())
    assert lifetimes(server, 20) == {30}
    browser_page.open_admin(ADMIN_EMAIL.upper())
    page = browser_page.open(SETTINGS)
    page.locator("#id_ACCESS_TOKEN_LIFETIME").fill("5")
    page.get_by_role("button", name="Save").click()
    saved_at = time.monotonic()
    expect(page.get_by_text("Live settings updated successfully.")).to_be_visible()
    expect(page.locator("#id_ACCESS_TOKEN_LIFETIME")).to_have_value("5 seconds")
    time.sleep(max(0.0, saved_at + 2 - time.monotonic()))  # the promise: two seconds, and no longer
    assert lifetimes(server, 20) == {5}
    assert browser_page.foreign_requests == browser_page.console_errors == []


@pytest.mark.parametrize("typed", ["-5", "soon", "9" * 40, ""])
def test_admin_settings_page_shows_the_error_of_an_invalid_value_at_its_field(
    browser_page: BrowserPage, server: Server, typed: str
) -> None:
    httpx.post(f"{server.url}/api/register/", json=credentials())
    browser_page.open_admin()
    page = browser_page.open(SETTINGS)
    page.locator("#changelist-form").evaluate("form => form.noValidate = true")  # the server must say it too
    page.locator("#id_ACCESS_TOKEN_LIFETIME").fill(typed)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Failed to update live settings.")).to_be_visible()
    beside = page.locator(".setting", has=page.locator("#id_ACCESS_TOKEN_LIFETIME")).locator(".errorlist")
    assert len(beside.inner_text()) > 10
    assert browser_page.open(SETTINGS).locator("#id_ACCESS_TOKEN_LIFETIME").input_value() == "30 seconds"
    assert lifetimes(server, 1) == {30}
