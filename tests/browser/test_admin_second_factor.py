"""An operator who must have a second factor sets one up in a real browser: an app, or a passkey."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from latchkey.core import clock
from tests.browser.test_passkeys import AUTHENTICATOR
from tests.factors.apps import code_at, wrong_code
from tests.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server

pytestmark = pytest.mark.browser


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    """A server that requires a second factor of staff, at a host that passkeys can have."""
    running = Server(tmp_path, database_url)
    running.environment["LATCHKEY_PASSKEY_ORIGINS"] = origin(running)
    running.start()
    assert running.command("constance", "set", "SECOND_FACTOR", "required_for_staff").returncode == 0
    yield running
    running.kill()


def origin(server: Server) -> str:
    return server.url.replace("127.0.0.1", "localhost")


def give_password(page: Page, server: Server) -> None:
    page.goto(f"{origin(server)}/admin/latchkey/user/")
    page.get_by_label("E-mail address").fill(ADMIN_EMAIL)
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Log in").click()


def test_operator_sets_an_app_up_and_signs_in_with_a_recovery_code(server: Server, chromium: Browser) -> None:
    page = chromium.new_context().new_page()
    give_password(page, server)
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    secret = "".join(page.locator(".app-secret span").all_inner_texts())
    code = page.get_by_label("Code from your authenticator app")
    code.fill(wrong_code(secret, clock.now()))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("The code is wrong")).to_be_visible()
    code.fill(code_at(secret, clock.now()))
    page.get_by_role("button", name="Continue").click()
    codes = page.locator(".recovery-codes li")
    expect(codes).to_have_count(10)
    (first, *_) = codes.all_inner_texts()
    page.get_by_role("link", name="I have saved them").click()
    expect(page).to_have_url(f"{origin(server)}/admin/latchkey/user/")

    page = chromium.new_context().new_page()
    give_password(page, server)
    page.get_by_role("link", name="Use a recovery code").click()
    page.get_by_label("Recovery code").fill(first.lower())
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(f"{origin(server)}/admin/latchkey/user/")
    expect(page.get_by_text("Codes left: 9.")).to_be_visible()


def test_operator_sets_a_passkey_up_and_uses_it_at_sign_in_and_before_a_change(
    server: Server, chromium: Browser
) -> None:
    context = chromium.new_context()
    page, errors = context.new_page(), list[str]()
    page.on("console", lambda line: errors.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    cdp = context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    give_password(page, server)
    page.get_by_role("button", name="Set up a passkey instead").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    context.clear_cookies()
    give_password(page, server)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{origin(server)}/admin/latchkey/user/")
    page.goto(f"{origin(server)}/admin/reauthenticate/?next=/admin/latchkey/session/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{origin(server)}/admin/latchkey/session/")
    assert errors == []
