"""Screenshots for the README, taken of the running service; LATCHKEY_PICTURES names the folder for them."""

import os
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.page import DESKTOP_WIDTH, BrowserPage
from tests.people import Person
from tests.server import Server

pytestmark = pytest.mark.browser
MAX_BYTES = 200_000
"""Size of a screenshot in bytes."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder for the screenshots: temporary, unless LATCHKEY_PICTURES is set."""
    return Path(os.environ.get("LATCHKEY_PICTURES", tmp_path))


def take(page: Page, picture: Path) -> None:
    page.screenshot(path=picture)
    header = picture.read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    assert int.from_bytes(header[16:20]) == DESKTOP_WIDTH
    assert picture.stat().st_size < MAX_BYTES


AGENTS = {
    "Firefox on Linux": "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
    "Mobile Safari on iPhone": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Chrome on Windows": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36",
}
A_MONTH = """
from math import sin
from latchkey.metrics_server.models import HourlyCount
from latchkey.metrics_server.hourly_totals import current_hour
busy = {"user.registered": 9, "login.succeeded": 60, "login.failed": 14, "rate_limit.exceeded": 3}
busy |= {"session.refreshed": 9000, "session.retried": 400, "sessions.live": 2400}
now = current_hour()
rows = []
for ago in range(1, 720):
    level = 1.6 - ago / 1500 + sin((now - ago) / 3.8) / 3 + sin(ago / 27) / 5
    rows += [HourlyCount(hour=now - ago, name=name, count=int(most * level)) for name, most in busy.items()]
rows += [HourlyCount(hour=now - ago, name="session.replayed", count=1 + ago % 3) for ago in range(30, 720, 97)]
HourlyCount.objects.bulk_create(rows)
"""
"""Counts for the charts: days, nights, and a product that grows."""


def test_screenshots_of_the_admin_can_be_taken(browser_page: BrowserPage, server: Server, folder: Path) -> None:
    """Sign in, show the dashboard, change a lifetime, and end a session."""
    server.shell(A_MONTH)
    devices: list[Person] = []
    for agent in AGENTS.values():
        with httpx.Client(base_url=server.url, headers={"User-Agent": agent}) as http:
            person = Person(http, "alice@example.com")
            devices.append((person if devices else person.register()).login().refresh())
    browser_page.open_admin()

    page = browser_page.open("/admin/?period=30d")
    page.set_viewport_size({"width": DESKTOP_WIDTH, "height": 860})
    expect(page.locator("svg rect.main").first).to_be_visible()
    take(page, folder / "dashboard.png")

    page = browser_page.open("/admin/constance/config/")
    page.locator("#id_ACCESS_TOKEN_LIFETIME").fill("00:01:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Live settings updated successfully.")).to_be_visible()
    expect(page.locator("#id_ACCESS_TOKEN_LIFETIME")).to_be_in_viewport()
    take(page, folder / "admin.png")

    page = browser_page.open(f"/admin/latchkey/user/{devices[0].id}/change/")
    for name in AGENTS:
        expect(page.locator("section", has_text="Active sessions").get_by_text(name)).to_be_visible()
    page.set_viewport_size({"width": DESKTOP_WIDTH, "height": 1180})
    take(page, folder / "user.png")
    page.locator("tr", has_text="Firefox on Linux").get_by_role("link", name="End session").click()
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_text("The session has ended.")).to_be_visible()
    expect(page.get_by_role("link", name="End session")).to_have_count(2)
    with httpx.Client(base_url=server.url) as http:
        statuses = [http.get("/api/me/", headers=device.bearer()).status_code for device in devices]
    assert statuses == [401, 200, 200]
    assert browser_page.foreign_requests == browser_page.console_errors == []


def test_screenshot_of_the_api_documentation_can_be_taken(browser_page: BrowserPage, folder: Path) -> None:
    page = browser_page.open("/api-doc/")
    page.set_viewport_size({"width": DESKTOP_WIDTH, "height": 760})
    expect(page.locator(".opblock").first).to_be_visible()
    take(page, folder / "docs.png")
