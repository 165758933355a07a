"""An invitation from end to end: a back end creates the user, and the button of the mail leads to the first sign-in."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.people import PASSWORD, try_login
from tests.server import Server
from tests.support.smtp_server import SmtpServer

pytestmark = pytest.mark.browser
EMAIL = "erin@example.com"
SCOPES = "users:read users:write"


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    started = SmtpServer().start()
    yield started
    started.stop()


@pytest.fixture
def service(tmp_path: Path, database_url: str, smtp: SmtpServer) -> Iterator[Server]:
    """A server that sends its mails to smtp, and whose links lead to itself."""
    running = Server(tmp_path, database_url, EMAIL_URL=smtp.url)
    running.environment["LATCHKEY_PUBLIC_URL"] = running.url
    yield running.start()
    running.kill()


def invite(service: Server) -> None:
    """Create a user as an application does, with an invitation."""
    added = service.command("applications", "add", "crm", *(f"--scope={scope}" for scope in SCOPES.split()))
    assert added.returncode == 0, added.stderr
    asked = {"grant_type": "client_credentials", "scope": SCOPES}
    granted = httpx.post(f"{service.url}/oauth/token/", auth=("crm", added.stdout.split()[-1]), data=asked)
    bearer = {"Authorization": f"Bearer {granted.json()['access_token']}"}
    body = {"email": EMAIL, "username": "Erin", "invite": True}
    created = httpx.post(f"{service.url}/api/users/", json=body, headers=bearer)
    assert (created.status_code, created.json()["email_verified"]) == (201, False)


def test_button_of_an_invitation_leads_to_a_password_and_the_first_sign_in(
    service: Server, smtp: SmtpServer, chromium: Browser
) -> None:
    invite(service)
    (mail,) = smtp.wait_for(1, within=30)
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text
    assert html
    assert "Hello,\r\n" in text.get_content()  # without the name, while nobody knows whose the address is
    assert "within 7 days" in text.get_content()
    page = chromium.new_context(base_url=service.url).new_page()
    page.set_content(html.get_content())
    link = page.get_by_role("link", name="Set a password")
    assert link.get_attribute("href") in text.get_content()
    link.click()
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("Repeat password").fill(PASSWORD)
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", name="Password changed")).to_be_visible()
    with httpx.Client(base_url=service.url) as http:
        signed_in = try_login(http, EMAIL)
        assert signed_in.status_code == 200
        me = http.get("/api/me/", headers={"Authorization": f"Bearer {signed_in.json()['access_token']}"})
        assert (me.status_code, me.json()["email"]) == (200, EMAIL)
