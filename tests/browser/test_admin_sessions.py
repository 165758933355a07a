"""A superuser sees the sessions in the admin and ends them, in a browser."""

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.page import BrowserPage
from tests.people import Person
from tests.server import Server

pytestmark = pytest.mark.browser
SESSIONS = "/admin/latchkey/session/"


def test_admin_ends_a_session_from_its_page_and_from_the_list(browser_page: BrowserPage, server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        people = [Person(http, f"{name}@example.com").register().login() for name in ("alice", "bob", "mallory")]
        alice, bob, mallory = people
        browser_page.open_admin()

        page = browser_page.open(SESSIONS)
        expect(page.locator("#result_list tbody tr")).to_have_count(3)
        page.get_by_role("link", name=alice.email).click()
        page.get_by_role("link", name="End session").click()
        assert alice.me().status_code == 200
        page.get_by_role("button", name="End session").click()
        expect(page.locator("#result_list tbody tr")).to_have_count(2)
        assert [person.me().status_code for person in people] == [401, 200, 200]

        page.locator("tr", has_text=mallory.email).get_by_role("checkbox").check()
        page.locator("select[name=action]").select_option(label="End selected sessions")
        page.get_by_role("button", name="Run").click()
        page.get_by_role("button", name="Yes, I").click()
        expect(page.locator("#result_list tbody tr")).to_have_count(1)
        assert [person.me().status_code for person in people] == [401, 200, 401]
    assert bob.email in page.content()
    assert browser_page.foreign_requests == browser_page.console_errors == []
