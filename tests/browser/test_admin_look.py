"""What Alpine does on the pages of the admin works under a policy that evaluates nothing."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
USERS = "/admin/latchkey/user/"


def test_the_menu_opens_and_closes_and_stays_so(visitor: Visitor) -> None:
    visitor.open_admin()
    page, menu = visitor.page, visitor.page.locator("#nav-sidebar")
    for path in ("/admin/", USERS, f"{USERS}add/"):
        visitor.open(path)
        expect(menu).to_be_visible()
        page.locator("#header-inner .cursor-pointer > span:visible").first.click()
        expect(menu).to_be_hidden()
        page.reload()
        expect(menu).to_be_hidden()
        page.locator("#header-inner .cursor-pointer > span:visible").first.click()
        expect(menu).to_be_visible()
    assert visitor.complaints == []


def test_filters_actions_and_the_theme_open_at_a_click(visitor: Visitor) -> None:
    visitor.open_admin()
    page = visitor.open(USERS)
    by = page.get_by_text("By active")
    expect(by).to_be_hidden()
    page.get_by_text("Filters", exact=False).first.click()
    expect(by).to_be_visible()

    page = visitor.open(USERS)
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
    assert visitor.foreign == visitor.complaints == []
