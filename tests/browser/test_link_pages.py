"""The pages behind e-mailed links, in a real browser: with and without scripts, on a desktop and on a phone."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Request, expect

from tests.browser.page import DESKTOP_WIDTH, PHONE_WIDTH, BrowserPage
from tests.people import PASSWORD, Person, try_login
from tests.server import Server

pytestmark = pytest.mark.browser
NEW = "seven purple trains to the sea"
LINKS = """
import json
from tests.outbox import sent_mails
print(json.dumps({mail.kind: mail.link for mail in sent_mails()}))
"""


@pytest.fixture
def alice(server: Server) -> Person:
    http = httpx.Client(base_url=server.url, headers={"Connection": "close"})
    return Person(http, "alice@example.com").register().login()


@pytest.fixture
def links(server: Server, alice: Person) -> dict[str, str]:
    """The path of each link page for alice, with its token."""
    alice.http.post("/api/password/reset/", json={"email": alice.email})
    alice.http.post("/api/email/verify/resend/", json={"email": alice.email})
    new = {"email": "alice@new.example", "password": PASSWORD}
    alice.http.post("/api/email/change/", json=new, headers=alice.bearer())
    server.environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    links: dict[str, str] = json.loads(server.shell(LINKS).splitlines()[-1])
    return {kind: link.removeprefix("http://127.0.0.1:8000") for kind, link in links.items()}


@pytest.mark.parametrize("width", [DESKTOP_WIDTH, PHONE_WIDTH])
def test_link_pages_fit_the_window_without_console_errors_or_foreign_requests(
    links: dict[str, str], open_page: Callable[[int], BrowserPage], width: int
) -> None:
    visitor = open_page(width)
    for link in links.values():
        page = visitor.open(link)
        expect(page.get_by_role("heading")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (visitor.console_errors, visitor.foreign_requests) == ([], [])


@pytest.mark.ledger("CS-FP-5")
@pytest.mark.parametrize("scripts", [True, False])
def test_reset_page_sets_the_password_and_sends_the_token_to_no_other_url(
    server: Server, alice: Person, links: dict[str, str], chromium: Browser, scripts: bool
) -> None:
    requests: list[Request] = []
    page = chromium.new_context(java_script_enabled=scripts).new_page()

    def note(request: Request) -> None:
        requests.append(request)

    page.on("request", note)
    page.goto(f"{server.url}{links['password_reset']}")
    page.get_by_label("New password").fill("short")
    page.get_by_label("Repeat password").fill("short")
    page.get_by_role("button").click()
    expect(page.get_by_text("The password is too short")).to_be_visible()
    page.get_by_label("New password").fill(NEW)
    page.get_by_label("Repeat password").fill(NEW)
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", name="Password changed")).to_be_visible()
    assert page.url == f"{server.url}/reset-password/"
    token = links["password_reset"].partition("token=")[2]
    assert len(requests) >= 4
    for request in requests[1:]:
        assert token not in request.url
        assert token not in str(request.all_headers())
    assert try_login(alice.http, password=NEW).status_code == 200


def test_verification_and_email_change_pages_confirm_the_addresses(
    server: Server, alice: Person, links: dict[str, str], browser_page: BrowserPage
) -> None:
    page = browser_page.open(links["email_verification"])
    page.get_by_role("button", name="Confirm address").click()
    expect(page.get_by_role("heading", name="E-mail address confirmed")).to_be_visible()
    page = browser_page.open(links["email_change"])
    page.get_by_role("button", name="Confirm new address").click()
    expect(page.get_by_role("heading", name="E-mail address changed")).to_be_visible()
    assert alice.refresh().me().json()["email"] == "alice@new.example"
    assert (browser_page.console_errors, browser_page.foreign_requests) == ([], [])
