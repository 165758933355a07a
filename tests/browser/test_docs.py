"""The interactive API documentation: it works offline, and "Try it out" sends real requests."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.page import BrowserPage, credentials
from tests.browser.swagger_ui import execute, operation

pytestmark = pytest.mark.browser


def test_swagger_ui_logs_in_authorizes_and_reads_me(browser_page: BrowserPage) -> None:
    page = browser_page.open("/api-doc/")
    page.request.post(f"{browser_page.url}/api/register/", data=credentials())

    response = execute(operation(page, "post", "/api/login/"), credentials())
    expect(response.locator(".response-col_status")).to_contain_text("200")
    pair = json.loads(response.locator("pre code").first.inner_text())

    page.locator(".auth-wrapper .authorize").first.click()
    bearer = page.locator(".auth-container form", has=page.locator("#auth-bearer-value"))
    bearer.locator("input").fill(pair["access_token"])
    bearer.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close", exact=True).first.click()

    response = execute(operation(page, "get", "/api/me/"))
    expect(response.locator(".response-col_status")).to_contain_text("200")
    expect(response.locator("pre code").first).to_contain_text('"email": "alice@example.com"')
    assert browser_page.foreign_requests == []
    assert browser_page.console_errors == []


def test_swagger_ui_lists_every_operation_of_the_schema(browser_page: BrowserPage) -> None:
    page = browser_page.open("/api-doc/")
    paths = page.request.get(f"{browser_page.url}/api-doc/schema/", headers={"Accept": "application/json"}).json()[
        "paths"
    ]
    expect(page.locator(".opblock")).to_have_count(sum(len(operations) for operations in paths.values()))
    assert page.title() == "Latchkey"
