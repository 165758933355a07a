"""Every page, on a desktop and on a phone: no request to another host, no console error, no horizontal scrolling."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.page import DESKTOP_WIDTH, PHONE_WIDTH, BrowserPage
from tests.people import Person
from tests.server import Server

pytestmark = pytest.mark.browser
PAGES = ["/", "/api-doc/", "/api/"]
ACCOUNT_PAGES = ["/account/security/", "/account/security/authenticator/", "/account/confirm/"]
ERROR_PAGES = ["/api/register/", "/api/login/", "/api/refresh/", "/api/logout/", "/api/me/"]
USERS = "/admin/latchkey/user/"
ADMIN_PAGES = ["/admin/", "/admin/?period=90d", "/admin/latchkey/auditevent/", "/admin/latchkey/mail/"]
ADMIN_PAGES += [
    "/admin/latchkey/application/",
    "/admin/latchkey/application/add/",
    "/admin/latchkey/scope/",
    "/admin/latchkey/session/",
    "/admin/constance/config/",
    "/admin/constance/config/history/",
]
ADMIN_PAGES += [USERS, f"{USERS}add/", "/admin/password_change/", "/admin/auth/group/", "/admin/auth/group/add/"]


@pytest.mark.parametrize("width", [DESKTOP_WIDTH, PHONE_WIDTH])
def test_every_page_fits_the_window_without_console_errors_or_foreign_requests(
    server: Server, open_page: Callable[[int], BrowserPage], width: int
) -> None:
    with httpx.Client(base_url=server.url) as http:
        alice = Person(http, "alice@example.com").register().login()
    visitor = open_page(width)
    visited = [*PAGES, *ERROR_PAGES, *ACCOUNT_PAGES, "/admin/login/"]
    visitor.open_admin()
    mine = [f"{USERS}{alice.id}/{page}/" for page in ("change", "password", "history", "delete")]
    for path in [*visited, *ADMIN_PAGES, *mine]:
        visitor.console_errors.clear()
        page = visitor.open(path)
        expect(page.locator("h1:visible, h2:visible").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        expected = 1 if path in ERROR_PAGES else 0  # the browser logs the status of an error page
        assert len(visitor.console_errors) == expected, (path, visitor.console_errors)
    assert visitor.foreign_requests == []


def test_front_page_links_work(browser_page: BrowserPage) -> None:
    links = browser_page.open("/").locator("a").evaluate_all("links => links.map(link => link.href)")
    assert len(links) == 5
    for link in links:
        assert browser_page.page.request.get(link).status == 200
