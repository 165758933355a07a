"""A browser window that records requests to other hosts and messages of the console."""

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from tests.people import PASSWORD
from tests.server import ADMIN_EMAIL, ADMIN_PASSWORD

DESKTOP_WIDTH, PHONE_WIDTH = 1280, 390
"""Widths of the window in pixels."""


class BrowserPage:
    def __init__(self, browser: Browser, url: str, width: int = DESKTOP_WIDTH) -> None:
        self.url = url
        self.page: Page = browser.new_page(viewport={"width": width, "height": 900})
        self.page.set_default_timeout(15_000)
        self.foreign_requests: list[str] = []
        self.console_errors: list[str] = []
        self.page.on("request", self._on_request)
        self.page.on("pageerror", lambda error: self.console_errors.append(str(error)))
        self.page.on("console", self._on_console)

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "data:", "blob:")):
            self.foreign_requests.append(request.url)

    def _on_console(self, line: ConsoleMessage) -> None:
        if line.type in ("error", "warning"):  # Alpine warns of what it cannot evaluate
            self.console_errors.append(line.text)

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.url}{path}", wait_until="networkidle")
        return self.page

    def open_admin(self, email: str = ADMIN_EMAIL) -> Page:
        """Sign in to the admin."""
        page = self.open("/admin/")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(ADMIN_PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
        return page


def credentials(email: str = "alice@example.com") -> dict[str, str]:
    return {"email": email, "password": PASSWORD}
