"""The Alpine.js parts of the admin work under a Content-Security-Policy without unsafe-eval."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.page import BrowserPage

pytestmark = pytest.mark.browser
USERS = "/admin/latchkey/user/"


def test_admin_sidebar_keeps_its_open_or_closed_state_across_pages(browser_page: BrowserPage) -> None:
    browser_page.open_admin()
    page, menu = browser_page.page, browser_page.page.locator("#nav-sidebar")
    for path in ("/admin/", USERS, f"{USERS}add/"):
        browser_page.open(path)
        expect(menu).to_be_visible()
        page.locator("#header-inner .cursor-pointer > span:visible").first.click()
        expect(menu).to_be_hidden()
        page.reload()
        expect(menu).to_be_hidden()
        page.locator("#header-inner .cursor-pointer > span:visible").first.click()
        expect(menu).to_be_visible()
    assert browser_page.console_errors == []


def test_admin_filters_actions_and_theme_switch_respond_to_a_click(browser_page: BrowserPage) -> None:
    browser_page.open_admin()
    page = browser_page.open(USERS)
    by = page.get_by_text("By active")
    expect(by).to_be_hidden()
    page.get_by_text("Filters", exact=False).first.click()
    expect(by).to_be_visible()

    page = browser_page.open(USERS)
    run = page.get_by_role("button", name="Run")
    page.get_by_role("checkbox").nth(1).check()
    expect(run).to_be_hidden()
    page.locator("select[name=action]").select_option(index=1)
    expect(run).to_be_visible()

    page.locator("#nav-sidebar").get_by_text("unfold_more").click()
    page.get_by_text("Dark", exact=True).click()
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))
    page.reload()
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))
    assert browser_page.foreign_requests == browser_page.console_errors == []
