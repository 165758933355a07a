"""The sign-in form of docs/second-factors.md in Chromium, with a virtual authenticator and an authenticator app."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from latchkey.core import clock
from tests.factors.apps import code_at
from tests.people import PASSWORD, Person, try_login
from tests.postgres import free_port
from tests.recipes.recipe import code_blocks, run_program
from tests.server import Server

pytestmark = pytest.mark.browser
GUIDE = "../second-factors.md"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
KEEP_TOKENS = "addEventListener('signed-in', event => globalThis.pair = event.detail)"
ADD_PASSKEY = """async ([token, name]) => {
    const latchkey = await import("./second-factor.js");
    return latchkey.addPasskey(token, name);
}"""
STEP_UP = """async ([token, given]) => {
    const latchkey = await import("./second-factor.js");
    return latchkey.stepUp(token, given);
}"""


@pytest.fixture
def port() -> int:
    """The port of the form."""
    return free_port()


@pytest.fixture
def server(tmp_path: Path, database_url: str, port: int) -> Iterator[Server]:
    """A Latchkey that the form may call, and whose passkeys it may use."""
    origin = f"http://localhost:{port}"
    running = Server(tmp_path / "latchkey", database_url, LATCHKEY_CORS_ORIGINS=origin, LATCHKEY_PASSKEY_ORIGINS=origin)
    yield running.start()
    running.kill()


@pytest.fixture
def page(tmp_path: Path, server: Server, port: int, chromium: Browser) -> Iterator[tuple[Page, httpx.Client]]:
    """The form at http://localhost, and a client of its Latchkey."""
    folder = tmp_path / "app"
    folder.mkdir()
    (module,), (form,) = code_blocks(GUIDE, "javascript"), code_blocks(GUIDE, "html")
    (folder / "second-factor.js").write_text(module.replace("http://localhost:8000", server.url))
    (folder / "index.html").write_text(form)
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with run_program(command, folder, port), httpx.Client(base_url=server.url) as http:
        window = chromium.new_context().new_page()
        window.add_init_script(KEEP_TOKENS)
        window.goto(f"http://localhost:{port}")
        devtools = window.context.new_cdp_session(window)
        devtools.send("WebAuthn.enable")
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        yield window, http


@pytest.fixture
def alice(page: tuple[Page, httpx.Client]) -> Person:
    return Person(page[1], "alice@example.com").register().login()


def give_password(window: Page, email: str = "alice@example.com", password: str = PASSWORD) -> None:
    window.fill("[name=email]", email)
    window.fill("[name=password]", password)
    window.click("text='Sign in'")


def assert_signed_in(window: Page, http: httpx.Client, person: Person) -> None:
    expect(window.locator("output")).to_have_text("Signed in.")
    token = window.evaluate("pair.access_token")
    assert http.get("/api/me/", headers={"Authorization": f"Bearer {token}"}).json()["email"] == person.email


def set_up_app(person: Person) -> tuple[str, list[str]]:
    """Set up an authenticator app; return its secret and the recovery codes."""
    secret = person.http.post("/api/me/totp/", headers=person.bearer()).json()["secret"]
    code = code_at(secret, clock.now())
    confirmed = person.http.post("/api/me/totp/confirm/", json={"code": code}, headers=person.bearer())
    return secret, confirmed.json()["recovery_codes"]


def test_guide_form_signs_in_with_a_password_alone_where_there_is_no_factor(
    page: tuple[Page, httpx.Client], alice: Person
) -> None:
    give_password(page[0])
    assert_signed_in(*page, alice)


def test_guide_form_asks_for_the_code_and_signs_in_with_it_or_with_a_recovery_code(
    page: tuple[Page, httpx.Client], alice: Person
) -> None:
    window, _ = page
    secret, recovery_codes = set_up_app(alice)
    for field, text in (("code", code_at(secret, clock.now(), 1)), ("recovery_code", recovery_codes[0].lower())):
        window.reload()
        give_password(window)
        expect(window.locator("#second")).to_be_visible()
        expect(window.locator("#passkey-second")).to_be_hidden()
        window.fill("[name=code]", "000000")
        window.click("text=Continue")
        expect(window.locator("output")).to_contain_text("The code is wrong")
        window.fill(f"[name={field}]", f"{text[:3]} {text[3:]}" if field == "code" else text)
        window.click("text=Continue")
        assert_signed_in(*page, alice)
        assert window.evaluate("[location.search, location.hash, localStorage.length, sessionStorage.length]") == [
            "",
            "",
            0,
            0,
        ]


def test_guide_form_goes_back_to_the_password_when_the_ticket_is_dead(
    page: tuple[Page, httpx.Client], alice: Person
) -> None:
    window, http = page
    _, recovery_codes = set_up_app(alice)
    give_password(window)
    expect(window.locator("#second")).to_be_visible()
    for _ in range(10):  # a further ticket ends the oldest, which is that of the form
        http.post("/api/login/", json={"email": alice.email, "password": PASSWORD})
    window.fill("[name=recovery_code]", recovery_codes[0])
    window.click("text=Continue")
    expect(window.locator("output")).to_have_text("This took too long. Please sign in again.")
    expect(window.locator("#password")).to_be_visible()


def test_guide_form_leads_to_the_account_page_where_a_factor_has_to_be_set_up(
    page: tuple[Page, httpx.Client], alice: Person, server: Server
) -> None:
    window, http = page
    server.shell("from constance import config\nconfig.SECOND_FACTOR = 'required'")
    deadline = time.monotonic() + 10
    while try_login(http, alice.email).status_code != 403:  # within 2 s
        assert time.monotonic() < deadline
        time.sleep(0.2)
    give_password(window)
    expect(window.locator("output")).to_have_text(
        f"Please set up a second factor first, at {server.url}/account/sign-in/"
    )
    assert http.get("/account/sign-in/").status_code == 200


def test_guide_module_adds_a_passkey_that_signs_in_alone_and_after_the_password(
    page: tuple[Page, httpx.Client], alice: Person
) -> None:
    window, http = page
    added = window.evaluate(ADD_PASSKEY, [alice.access_token, "Laptop"])
    assert (added["passkey"]["name"], len(added["recovery_codes"])) == ("Laptop", 10)
    window.click("#passkey-alone")
    assert_signed_in(*page, alice)
    window.reload()
    give_password(window)
    window.click("#passkey-second")
    assert_signed_in(*page, alice)
    token = window.evaluate(STEP_UP, [window.evaluate("pair.access_token"), "passkey"])["access_token"]
    asked = {"acr": "phr", "max_age": "60"}
    assert http.get("/api/verify/", params=asked, headers={"Authorization": f"Bearer {token}"}).status_code == 204
