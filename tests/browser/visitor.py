"""Somebody with a browser, who notices what the page asks of other hosts and what its scripts complain about."""

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from tests.people import PASSWORD
from tests.server import ADMIN_EMAIL, ADMIN_PASSWORD

DESK, PHONE = 1280, 390
"""Widths of the window in pixels."""


class Visitor:
    def __init__(self, browser: Browser, url: str, width: int = DESK) -> None:
        self.url = url
        self.page: Page = browser.new_page(viewport={"width": width, "height": 900})
        self.page.set_default_timeout(15_000)
        self.foreign: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)

    def _note(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "data:", "blob:")):
            self.foreign.append(request.url)

    def _hear(self, line: ConsoleMessage) -> None:
        if line.type in ("error", "warning"):  # Alpine warns of what it cannot evaluate
            self.complaints.append(line.text)

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.url}{path}", wait_until="networkidle")
        return self.page

    def open_admin(self, email: str = ADMIN_EMAIL) -> Page:
        """Sign in at the admin's door."""
        page = self.open("/admin/")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(ADMIN_PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Accounts, sessions and settings")).to_be_visible()
        return page


def credentials(email: str = "alice@example.com") -> dict[str, str]:
    return {"email": email, "password": PASSWORD}
