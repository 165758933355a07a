"""Passkeys in a real browser with a virtual authenticator (Chromium's WebAuthn domain): add one, sign in with it.

The options come from the server and the answers go back to it as the browser's own JSON functions read and write them;
so what the software authenticator of the other tests believes about browsers is checked here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, CDPSession, Page

from tests.people import Person, try_login
from tests.server import Server

pytestmark = pytest.mark.browser

CREATE = """async options => (await navigator.credentials.create(
    {publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)})).toJSON()"""
GET = """async options => (await navigator.credentials.get(
    {publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)})).toJSON()"""
REFUSAL = """async ([kind, options]) => {
    const parse = "parse" + (kind === "create" ? "Creation" : "Request") + "OptionsFromJSON";
    try { await navigator.credentials[kind]({publicKey: PublicKeyCredential[parse](options)}); }
    catch (error) { return error.name; }
}"""
AUTHENTICATOR = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Window:
    """A page of the service at its domain, with one virtual authenticator."""

    def __init__(self, browser: Browser, url: str, **authenticator: Any) -> None:
        self.page: Page = browser.new_context().new_page()
        self.page.goto(url)
        self.cdp: CDPSession = self.page.context.new_cdp_session(self.page)
        self.cdp.send("WebAuthn.enable")
        self.authenticator = self.plug_in(**authenticator)

    def plug_in(self, **authenticator: Any) -> str:
        """Add an authenticator and return its id."""
        added = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": {**AUTHENTICATOR, **authenticator}})
        return str(added["authenticatorId"])

    def unplug(self) -> None:
        self.cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.authenticator})

    def verify_user(self, verified: bool) -> None:
        """Have the authenticator verify its user from now on, or fail to."""
        named = {"authenticatorId": self.authenticator, "isUserVerified": verified}
        self.cdp.send("WebAuthn.setUserVerified", named)

    def create(self, options: dict[str, Any]) -> Any:
        return self.page.evaluate(CREATE, options)

    def get(self, options: dict[str, Any]) -> Any:
        return self.page.evaluate(GET, options)


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    """A server whose passkeys pages at http://localhost may use; an IP address has none."""
    running = Server(tmp_path, database_url)
    running.environment["LATCHKEY_PASSKEY_ORIGINS"] = origin(running)
    yield running.start()
    running.kill()


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"Connection": "close"}) as client:
        yield client


@pytest.fixture
def window(server: Server, http: httpx.Client, chromium: Browser) -> Window:
    return Window(chromium, origin(server))


@pytest.fixture
def alice(http: httpx.Client) -> Person:
    return Person(http, "alice@example.com").register().login()


def origin(server: Server) -> str:
    return server.url.replace("127.0.0.1", "localhost")


def begin(person: Person) -> dict[str, Any]:
    answer = person.http.post("/api/me/passkeys/options/", headers=person.bearer())
    assert answer.status_code == 200, answer.text
    begun: dict[str, Any] = answer.json()
    return begun


def add(person: Person, window: Window) -> dict[str, Any]:
    begun = begin(person)
    body = {"ticket": begun["ticket"], "name": "Laptop", "passkey": window.create(begun["options"])}
    answer = person.http.post("/api/me/passkeys/", json=body, headers=person.bearer())
    assert answer.status_code == 201, answer.text
    added: dict[str, Any] = answer.json()
    return added


def sign_in(http: httpx.Client, window: Window) -> httpx.Response:
    begun = http.post("/api/login/passkey/options/").json()
    return http.post("/api/login/passkey/", json={"ticket": begun["ticket"], "passkey": window.get(begun["options"])})


def test_passkey_of_a_browser_signs_in_without_an_email_address(
    http: httpx.Client, alice: Person, window: Window
) -> None:
    added = add(alice, window)
    assert added["passkey"]["replaces_password"] is True
    for _ in range(3):
        answer = sign_in(http, window)
        assert answer.status_code == 200, answer.text
    answer = http.get("/api/me/", headers={"Authorization": f"Bearer {answer.json()['access_token']}"})
    assert answer.json()["email"] == alice.email


def test_passkey_of_a_browser_is_the_second_factor_after_the_password(
    http: httpx.Client, alice: Person, window: Window
) -> None:
    add(alice, window)
    refused = try_login(http, alice.email)
    assert refused.json()["code"] == "second_factor_required"
    options = http.post("/api/login/second-factor/passkey/", json={"ticket": refused.json()["ticket"]}).json()[
        "options"
    ]
    body = {"ticket": refused.json()["ticket"], "passkey": window.get(options)}
    answer = http.post("/api/login/second-factor/", json=body)
    assert answer.status_code == 200, answer.text


def test_browser_refuses_a_second_passkey_in_one_authenticator(alice: Person, window: Window) -> None:
    add(alice, window)
    assert window.page.evaluate(REFUSAL, ["create", begin(alice)["options"]]) == "InvalidStateError"


def test_account_has_passkeys_in_two_authenticators(http: httpx.Client, alice: Person, window: Window) -> None:
    add(alice, window)
    window.unplug()
    window.authenticator = window.plug_in(transport="usb")
    add(alice, window)
    assert len(http.get("/api/me/passkeys/", headers=alice.bearer()).json()) == 2
    assert sign_in(http, window).status_code == 200


def test_authenticator_that_does_not_verify_its_user_does_not_sign_in(
    http: httpx.Client, alice: Person, window: Window
) -> None:
    add(alice, window)
    window.verify_user(False)
    options = http.post("/api/login/passkey/options/").json()["options"]
    assert window.page.evaluate(REFUSAL, ["get", options]) == "NotAllowedError"


def test_page_of_another_domain_cannot_use_the_passkeys(
    server: Server, http: httpx.Client, alice: Person, window: Window
) -> None:
    add(alice, window)
    options = http.post("/api/login/passkey/options/").json()["options"]
    window.page.goto(server.url)  # the same server by its address, which is another domain
    assert window.page.evaluate(REFUSAL, ["get", options]) == "SecurityError"


def test_removed_passkey_no_longer_signs_in(http: httpx.Client, alice: Person, window: Window) -> None:
    added = add(alice, window)
    path = f"/api/me/passkeys/{added['passkey']['id']}/"
    assert http.delete(path, headers=alice.bearer()).status_code == 204
    answer = sign_in(http, window)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_passkey")
