"""The single-page application in Chromium, from sign-up to sign-out everywhere."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Route, expect

from tests.examples.conftest import OpenDevice
from tests.examples.notes_app import EXAMPLE, PASSWORD, REPOSITORY, Device, NotesApp, next_code
from tests.postgres import free_port

pytestmark = pytest.mark.clients
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def test_new_user_confirms_the_address_and_adds_a_note(open_device: OpenDevice) -> None:
    device = open_device()
    device.sign_up("ana@example.com")
    device.sign_in("ana@example.com")
    device.add_note("Buy oranges")
    device.says("ana@example.com · just now")


def test_sign_in_before_the_confirmation_asks_for_the_code(app: NotesApp, open_device: OpenDevice) -> None:
    device = open_device()
    device.follow("Sign up")
    device.fill("E-mail address", "early@example.com")
    device.fill("Password", "short")
    device.press("Create account")
    device.says("The password is too short")
    expect(device.page.get_by_label("Password")).to_be_focused()
    device.fill("Password", PASSWORD)
    device.press("Create account")
    device.shows("Check your inbox")
    device.follow("Back to sign-in")
    device.give_password("early@example.com")
    device.shows("Check your inbox")
    device.fill("Code from the mail", "AAAA-AAAA")
    device.press("Confirm address")
    device.says("unknown, used or expired")
    device.fill("Code from the mail", app.mailed_code("early@example.com"))
    device.press("Confirm address")
    device.sign_in("early@example.com")


def test_link_in_the_mail_confirms_the_address_and_leads_back(app: NotesApp, open_device: OpenDevice) -> None:
    device = open_device()
    device.follow("Sign up")
    device.fill("E-mail address", "lin@example.com")
    device.fill("Password", PASSWORD)
    device.press("Create account")
    device.page.goto(app.mailed_link("lin@example.com"))
    device.press("Confirm address")
    device.follow("Continue to Notes")
    device.sign_in("lin@example.com")


def test_reload_and_a_second_tab_keep_the_session_and_no_storage_has_a_token(open_device: OpenDevice) -> None:
    device = open_device()
    device.sign_up("bea@example.com")
    device.sign_in("bea@example.com")
    device.page.reload()
    device.shows("Notes")
    tab = device.context.new_page()
    tab.goto(device.app.url)
    expect(tab.get_by_role("heading", name="Notes")).to_be_visible()
    stored = device.page.evaluate(
        "async () => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, await caches.keys(),"
        " await indexedDB.databases()])"
    )
    (cookie,) = device.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("latchkey-refresh", True, "Strict")
    assert cookie["value"] not in stored
    assert "eyJ" not in stored
    assert "refresh" not in stored.lower()


def test_app_is_enrolled_and_asked_for_at_the_next_sign_in(open_device: OpenDevice) -> None:
    device = open_device()
    device.sign_up("cleo@example.com")
    device.sign_in("cleo@example.com")
    app = device.enrol_app()
    recovery_code = device.page.locator("#recovery-codes li").first.inner_text()
    device.press("I have saved them")
    device.says("Sign-in asks for a code.")
    device.press("Sign out")
    device.give_password("cleo@example.com")
    device.shows("Second factor")
    device.fill("Code of your authenticator app", "000000")
    device.press("Continue")
    device.says("The code is wrong")
    device.fill("Code of your authenticator app", next_code(app))
    device.press("Continue")
    device.shows("Notes")

    device.press("Sign out")
    device.give_password("cleo@example.com")
    device.page.get_by_text("Use a recovery code instead").click()
    device.page.get_by_role("textbox", name="Recovery code").fill(recovery_code)
    device.press("Continue with the recovery code")
    device.shows("Notes")
    device.follow("Account")
    device.says("9 recovery codes are left.")


def test_old_session_is_asked_again_before_the_app_is_removed(app: NotesApp, open_device: OpenDevice) -> None:
    device = open_device()
    device.sign_up("dora@example.com")
    device.sign_in("dora@example.com")
    totp = device.enrol_app()
    device.press("I have saved them")
    app.latchkey(
        *("shell", "--no-imports", "-c"),
        "from latchkey.sessions.models import Session; from datetime import timedelta; from django.db.models import F;"
        "ago = timedelta(minutes=11);"
        "Session.objects.filter(user__email='dora@example.com')"
        ".update(authenticated_at=F('authenticated_at') - ago, created_at=F('created_at') - ago)",
    )
    device.press("Remove the app")
    dialog = device.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("Password")).to_be_hidden()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    device.says("Sign-in asks for a code.")
    device.press("Remove the app")
    dialog.get_by_label("Code of your authenticator app").fill(next_code(totp))
    dialog.get_by_role("button", name="Continue").click()
    device.says("The authenticator app is removed.")
    expect(device.page.get_by_role("button", name="Set up an authenticator app")).to_be_visible()


def test_passkey_signs_in_without_a_password(open_device: OpenDevice) -> None:
    device = open_device()
    device.context.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false")
    device.page.reload()  # without autofill, in which the virtual authenticator would sign in by itself
    tools = device.context.new_cdp_session(device.page)
    tools.send("WebAuthn.enable")
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    device.sign_up("eve@example.com")
    device.sign_in("eve@example.com")
    device.follow("Account")
    device.fill("Name of the passkey", "Phone")
    device.press("Add a passkey")
    expect(device.page.locator("#recovery-codes li")).to_have_count(10)
    device.press("I have saved them")
    expect(device.page.locator("#passkey-list")).to_contain_text("Phone")
    device.press("Sign out")
    device.shows("Sign in")
    device.press("Sign in with a passkey")
    device.shows("Notes")
    device.says("Signed in as eve@example.com")


def test_device_that_is_ended_elsewhere_is_signed_out_by_itself(open_device: OpenDevice) -> None:
    phone, laptop = open_device(390), open_device()
    phone.sign_up("finn@example.com")
    phone.sign_in("finn@example.com")
    laptop.sign_in("finn@example.com")
    laptop.follow("Account")
    devices = laptop.page.locator("#device-list").get_by_role("listitem")
    expect(devices).to_have_count(2)
    expect(devices.locator(".badge:visible")).to_have_text(["this device"])
    devices.get_by_role("button", name="Sign out Mobile Safari on iPhone").click()
    expect(devices).to_have_count(1)
    phone.shows("Sign in")  # at the next look at the list of notes
    phone.says("You are signed out.")
    laptop.page.reload()
    laptop.shows("Account")


def test_role_shows_the_button_with_the_next_access_token(app: NotesApp, open_device: OpenDevice) -> None:
    device = open_device()
    device.sign_up("gil@example.com")
    device.sign_in("gil@example.com")
    device.add_note("Water the plants")
    button = device.page.get_by_role("button", name="Delete the note: Water the plants")
    expect(button).to_be_hidden()
    token = device.page.evaluate("import('/js/latchkey.js').then(({ client }) => client.getAccessToken())")
    note = f"{app.url}/api/notes/1"
    assert httpx.delete(note).status_code == 401
    assert httpx.delete(note, headers={"Authorization": f"Bearer {token}"}).status_code == 403
    app.latchkey("roles", "grant", "editor", "gil@example.com")
    device.page.reload()  # which refreshes
    button.click()
    expect(device.page.get_by_text("Water the plants")).to_be_hidden()
    app.latchkey("roles", "revoke", "editor", "gil@example.com")
    device.add_note("Stays")
    device.page.reload()
    device.says("Who may delete notes?")
    expect(device.page.get_by_role("button", name=re.compile("^Delete"))).to_have_count(0)


def test_sign_out_everywhere_reaches_other_devices_and_tabs(open_device: OpenDevice) -> None:
    phone, laptop = open_device(390), open_device()
    phone.sign_up("hana@example.com")
    phone.sign_in("hana@example.com")
    laptop.sign_in("hana@example.com")
    tab = laptop.context.new_page()
    tab.goto(f"{laptop.app.url}/#/account")
    expect(tab.get_by_role("button", name="Sign out everywhere")).to_be_visible()
    tab.get_by_role("button", name="Sign out everywhere").click()
    for page in (tab, laptop.page, phone.page):
        expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
    assert laptop.context.cookies() == []
    phone.page.reload()
    phone.shows("Sign in")


def test_session_is_unknown_while_latchkey_cannot_be_reached(open_device: OpenDevice) -> None:
    device = open_device()
    device.sign_up("ida@example.com")
    device.sign_in("ida@example.com")

    def refuse(route: Route) -> None:
        route.abort("internetdisconnected")

    device.context.route(f"{device.app.latchkey_url}/**", refuse)
    device.page.reload()
    device.shows("No connection")
    expect(device.page.locator("#session-state")).to_have_text("Session unknown")
    device.context.unroute(f"{device.app.latchkey_url}/**", refuse)
    device.press("Try again now")
    device.shows("Notes")
    device.says("Signed in as ida@example.com")


def test_whole_application_is_used_by_keyboard_at_320_pixels(open_device: OpenDevice) -> None:
    device = open_device(320)
    device.sign_up("jo@example.com")
    device.shows("Sign in")
    expect(device.page.get_by_label("Password")).to_be_focused()
    device.page.keyboard.type(PASSWORD)
    device.page.keyboard.press("Enter")
    device.shows("Notes")
    expect(device.page.get_by_role("heading", level=1, name="Notes")).to_be_focused()
    device.page.keyboard.press("Tab")
    device.page.keyboard.type("Written by keyboard")
    device.page.keyboard.press("Enter")
    device.says("Written by keyboard")
    overflow = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert device.page.evaluate(overflow) is False
    device.follow("Account")
    device.press("Set up an authenticator app")
    expect(device.page.get_by_label("Code that the app shows")).to_be_focused()
    device.page.get_by_role("link", name="Skip to content").focus()
    device.page.keyboard.press("Enter")
    expect(device.page.get_by_role("main")).to_be_focused()
    device.shows("Account")
    assert device.page.evaluate(overflow) is False
    unlabelled = "[...document.querySelectorAll('input')].filter((field) => !field.labels.length).length"
    assert device.page.evaluate(unlabelled) == 0


def test_injected_markup_and_scripts_do_not_run(app: NotesApp, open_device: OpenDevice) -> None:
    policy = httpx.get(app.url).headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(policy)
    assert not any("unsafe" in directive or "*" in directive for directive in policy)
    device = open_device()
    device.sign_up("kim@example.com")
    device.sign_in("kim@example.com")
    device.add_note("<img src=x onerror=document.title='injected'>")
    refused = device.page.evaluate(
        "() => { try { document.body.innerHTML = '<b>x</b>'; } catch (e) { return e.name; } }"
    )
    assert refused == "TypeError"
    device.problems.clear()  # the browser has reported that refusal
    assert device.page.title() == "Notes"


def test_start_refuses_a_port_that_is_taken(app: NotesApp) -> None:
    second = app.spawn()
    assert second.wait(60) == 1
    assert f"start: port {app.port} is taken. Choose another one with --port." in app.log.read_text()


def test_restart_signs_nobody_out_and_ctrl_c_stops_all_processes(
    tmp_path_factory: pytest.TempPathFactory, chromium: Browser
) -> None:
    app = NotesApp(tmp_path_factory.mktemp("stopped")).start()
    device = Device(app, chromium)
    device.sign_up("lea@example.com")
    device.sign_in("lea@example.com")
    device.add_note("Kept")
    assert app.stop() == 0
    for url in (app.url, app.latchkey_url):
        with pytest.raises(httpx.TransportError):
            httpx.get(url)
    device.says("No connection.")
    expect(device.page.locator("#session-state")).to_have_text("Signed in")
    app.start()  # the second time there is nothing to install and nothing to set up
    assert "Setting up" not in app.log.read_text()
    expect(device.page.get_by_text("No connection.")).to_be_hidden(timeout=20_000)
    device.add_note("Added after the restart")
    device.says("Kept")
    assert device.problems == []
    assert app.stop() == 0


def test_start_names_what_is_missing(tmp_path: Path) -> None:
    """Run a copy of the script beside a repository that is not set up, or without Node."""
    example = tmp_path / "examples" / "single-page-app"
    shutil.copytree(EXAMPLE, example, ignore=shutil.ignore_patterns("var", "__pycache__"))

    def start(**environment: str) -> subprocess.CompletedProcess[str]:
        ports = ("--port", str(free_port()), "--latchkey-port", str(free_port()))
        return subprocess.run(
            [example / "start", *ports], env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    done = start(PATH=os.environ["PATH"])
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "run 'make setup' in the repository first" in done.stderr

    (tmp_path / ".venv").symlink_to(REPOSITORY / ".venv")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname"):
        (tools / name).symlink_to(shutil.which(name) or "")
    shutil.copytree(REPOSITORY / "clients" / "typescript" / "src", tmp_path / "clients" / "typescript" / "src")
    shutil.copy(REPOSITORY / "clients" / "typescript" / "package.json", tmp_path / "clients" / "typescript")
    done = start(PATH=str(tools))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Node.js 20 or newer with npm is needed" in done.stderr
