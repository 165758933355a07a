"""The account pages in a real browser: by keyboard alone, without scripts, on a phone; and passkeys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from latchkey.core import clock
from tests.browser.page import DESKTOP_WIDTH, BrowserPage
from tests.factors.apps import code_at
from tests.people import PASSWORD, Person
from tests.server import Server

pytestmark = pytest.mark.browser
SMALL_PHONE = 320
SIGN_IN, SECURITY = "/account/sign-in/", "/account/security/"
INTERNAL = {"protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal"} | dict.fromkeys(
    ("hasResidentKey", "hasUserVerification", "isUserVerified", "automaticPresenceSimulation"), True
)


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    """A server at a host name, because an IP address has no passkeys."""
    running = Server(tmp_path, database_url)
    running.host = "localhost"
    running.environment["LATCHKEY_PASSKEY_ORIGINS"] = running.url
    running.start()
    yield running
    running.kill()


@pytest.fixture
def alice(server: Server) -> Person:
    http = httpx.Client(base_url=server.url, headers={"Connection": "close"})
    return Person(http, "alice@example.com").register()


def type_credentials(page: Page, email: str) -> None:
    """Fill in the form of the sign-in page by the keyboard alone; the cursor is in its first field."""
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")


def press_key_on(page: Page, name: str) -> None:
    """Go to a link or a button of this name by the Tab key, see that the focus is shown, and press Enter."""
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText") == name:
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"no way to {name!r} by the Tab key")


def assert_fits(page: Page, width: int) -> None:
    """Assert that nothing has to be scrolled sideways; without scripts the width is that of the screenshot's page."""
    size = page.locator("html").bounding_box()
    assert size is not None
    assert size["width"] <= width
    for box in page.locator("main *:visible").all():
        place = box.bounding_box()
        assert place is None or place["x"] + place["width"] <= width, box.inner_text()


@pytest.mark.parametrize("width", [DESKTOP_WIDTH, SMALL_PHONE])
def test_authenticator_app_is_set_up_and_used_by_keyboard_alone(
    server: Server, alice: Person, chromium: Browser, width: int
) -> None:
    visitor = BrowserPage(chromium, server.url, width)
    page = visitor.open("/account/")
    assert_fits(page, width)
    type_credentials(page, alice.email)
    expect(page.get_by_role("heading", name="Security")).to_be_visible()
    assert_fits(page, width)
    press_key_on(page, "Set up")
    expect(page.get_by_role("textbox", name="Code")).to_be_focused()
    assert_fits(page, width)
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    page.keyboard.type(code_at(secret, clock.now(), -1))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    expect(page.locator(".codes li")).to_have_count(10)
    assert_fits(page, width)
    press_key_on(page, "I have kept them")
    expect(page.get_by_text("10 codes left.")).to_be_visible()
    press_key_on(page, "Sign out")
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    type_credentials(page, alice.email)
    expect(page.get_by_role("textbox", name="Code", exact=True)).to_be_focused()
    assert_fits(page, width)
    page.keyboard.type(code_at(secret, clock.now()))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Security")).to_be_visible()
    press_key_on(page, "Remove")
    expect(page.get_by_role("heading", name="Remove the authenticator app?")).to_be_visible()
    press_key_on(page, "Remove")
    expect(page.get_by_role("status")).to_contain_text("Your authenticator app is removed.")
    assert (visitor.console_errors, visitor.foreign_requests) == ([], [])


def test_account_pages_work_without_scripts_and_offer_no_passkeys_then(
    server: Server, alice: Person, chromium: Browser
) -> None:
    page = chromium.new_context(java_script_enabled=False).new_page()
    page.goto(f"{server.url}/account/")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    page.get_by_label("E-mail address").fill(alice.email)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("No active account matches")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Set up").click()
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    page.get_by_role("textbox", name="Code").fill(code_at(secret, clock.now()))
    page.get_by_role("button", name="Confirm").click()
    codes = page.locator(".codes code").all_inner_texts()
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail address").fill(alice.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label("Recovery code")).to_be_hidden()
    page.get_by_text("Use a recovery code").click()
    page.get_by_label("Recovery code").fill(codes[9])
    page.locator("details").get_by_role("button").click()
    expect(page.get_by_text("9 codes left.")).to_be_visible()
    page.get_by_role("link", name="Add a passkey").click()
    expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
    expect(page.get_by_role("button", name="Create passkey")).to_be_hidden()


def add_authenticator(page: Page) -> tuple[Any, str]:
    """Give the browser a virtual authenticator, and return its session of the DevTools protocol, and the id."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    return tools, tools.send("WebAuthn.addVirtualAuthenticator", {"options": INTERNAL})["authenticatorId"]


def test_passkey_is_made_offered_at_sign_in_used_as_second_factor_and_removed(
    server: Server, alice: Person, chromium: Browser
) -> None:
    visitor = BrowserPage(chromium, server.url)
    page = visitor.page
    tools, authenticator = add_authenticator(page)

    def answer_by_itself(enabled: bool) -> None:
        given = {"authenticatorId": authenticator, "enabled": enabled}
        tools.send("WebAuthn.setAutomaticPresenceSimulation", given)

    visitor.open(SIGN_IN)
    type_credentials(page, alice.email)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Create passkey").click()
    expect(page.locator(".codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("Laptop")).to_be_visible()

    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Create passkey").click()
    expect(page.get_by_text("This device has a passkey of your account already.")).to_be_visible()
    expect(page.get_by_role("button", name="Create passkey")).to_be_enabled()

    visitor.open(SECURITY)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Security")).to_be_visible()  # the browser's autofill offered the passkey

    answer_by_itself(False)
    page.get_by_role("button", name="Sign out").click()
    type_credentials(page, alice.email)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    answer_by_itself(True)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Security")).to_be_visible()

    page.goto(f"{server.url}/account/confirm/?next={SECURITY}")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("link", name="Rename or remove Laptop").click()
    page.get_by_role("link", name="Remove this passkey").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status")).to_contain_text("The passkey is removed.")
    assert (visitor.console_errors, visitor.foreign_requests) == ([], [])


def test_button_of_the_sign_in_page_takes_over_from_autofill(server: Server, alice: Person, chromium: Browser) -> None:
    visitor = BrowserPage(chromium, server.url)
    page = visitor.page
    tools, authenticator = add_authenticator(page)
    visitor.open(SIGN_IN)
    type_credentials(page, alice.email)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Create passkey").click()
    expect(page.locator(".codes li")).to_have_count(10)
    tools.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": authenticator, "enabled": False})
    visitor.open(SECURITY)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    page.wait_for_load_state("networkidle")  # autofill waits for an answer by now
    tools.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": authenticator, "enabled": True})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Security")).to_be_visible()
    assert (visitor.console_errors, visitor.foreign_requests) == ([], [])
