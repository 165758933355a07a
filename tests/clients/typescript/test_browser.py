"""What happens to a session in a browser: sign-out, other tabs, clocks, sleep, no network, late answers, passkeys."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_second_factors_page import AUTHENTICATOR
from tests.clients.typescript.app_server import AppServer
from tests.clients.typescript.conftest import sign_in

pytestmark = pytest.mark.clients
WITHOUT_CHANNEL = "delete globalThis.BroadcastChannel;"
HOUR = 3_600_000  # milliseconds
MOVE_CLOCK = """
const { now } = Date;
Date.now = () => now() + %d;
"""
SLEEP = """milliseconds => {
    const [date, monotonic] = [Date.now, performance.now.bind(performance)];
    Date.now = () => date() + milliseconds;
    performance.now = () => monotonic() + (%s ? milliseconds : 0);
}"""
STATUS_OF_ME = "client.fetch('/api/me/').then(({ status }) => status)"
LOAD = "client.load().then(({ status }) => status)"


def status(tab: Page) -> str:
    return str(tab.evaluate("client.session.status"))


def wait_for_status(tab: Page, wanted: str) -> None:
    tab.wait_for_function("wanted => client.session.status === wanted", arg=wanted)


@pytest.mark.parametrize("missing", ["", WITHOUT_CHANNEL], ids=["BroadcastChannel", "storage events"])
def test_sign_in_and_sign_out_reach_the_other_tabs_within_half_a_second(
    open_tab: Callable[..., Page], context: BrowserContext, account: dict[str, str], missing: str
) -> None:
    context.add_init_script(missing)
    first, *others = [open_tab() for _ in range(4)]
    for tab in others:
        tab.evaluate(LOAD)
    sign_in(first, account)
    for tab in others:
        wait_for_status(tab, "signed-in")
    began = first.evaluate("(globalThis.began = Date.now(), client.signOut(), began)")
    for tab in others:
        wait_for_status(tab, "signed-out")
        (_, at) = tab.evaluate("changes.at(-1)")
        assert at - began < 500
        assert tab.evaluate(STATUS_OF_ME) == 401


def test_tabs_that_start_together_share_a_refresh(
    open_tab: Callable[..., Page], app: AppServer, account: dict[str, str]
) -> None:
    first, *others = [open_tab() for _ in range(8)]
    sign_in(first, account)
    tabs = [first, *others]
    for tab in tabs:
        tab.reload()
        tab.wait_for_function("globalThis.client")
    app.refreshes.clear()
    app.delay = 1.0  # so that all are there before the first has its answer
    for tab in tabs:
        tab.evaluate("void client.load()")
    for tab in tabs:
        wait_for_status(tab, "signed-in")
        assert tab.evaluate(STATUS_OF_ME) == 200
    assert len(app.refreshes) <= 2  # of eight; on a busy machine the message may come after the lock


@pytest.mark.parametrize("hours", [-1, 1])
def test_clock_of_the_device_may_be_an_hour_off(
    open_tab: Callable[..., Page], context: BrowserContext, app: AppServer, account: dict[str, str], hours: int
) -> None:
    context.add_init_script(MOVE_CLOCK % (hours * HOUR))
    tab = open_tab()
    sign_in(tab, account)
    assert [tab.evaluate(STATUS_OF_ME) for _ in range(3)] == [200, 200, 200]
    assert app.refreshes == []
    tab.reload()
    tab.wait_for_function("globalThis.client")
    assert tab.evaluate(LOAD) == "signed-in"
    assert [tab.evaluate(STATUS_OF_ME) for _ in range(3)] == [200, 200, 200]
    assert len(app.refreshes) == 1


@pytest.mark.parametrize("counts_sleep", ["true", "false"])
def test_after_an_hour_of_sleep_the_next_request_refreshes_first(
    open_tab: Callable[..., Page], app: AppServer, account: dict[str, str], counts_sleep: str
) -> None:
    tab = open_tab()
    sign_in(tab, account)
    tab.evaluate(SLEEP % counts_sleep, HOUR)  # performance.now() stands still during sleep in some browsers
    refused = []
    tab.on("response", lambda response: refused.append(response.status) if response.status == 401 else None)
    assert tab.evaluate(STATUS_OF_ME) == 200
    assert (len(app.refreshes), refused) == (1, [])


def test_start_without_a_network_is_unknown_until_it_is_back(
    open_tab: Callable[..., Page], app: AppServer, account: dict[str, str]
) -> None:
    tab = open_tab()
    sign_in(tab, account)
    app.online = False
    tab.reload()
    tab.wait_for_function("globalThis.client")
    assert tab.evaluate(LOAD) == "unknown"
    assert tab.evaluate("client.session.error.name") == "NetworkError"
    app.online = True
    tab.evaluate("dispatchEvent(new Event('online'))")
    wait_for_status(tab, "signed-in")
    app.online = False
    tab.evaluate(SLEEP % "true", HOUR)
    assert tab.evaluate("client.fetch('/api/me/').catch(({ name }) => name)") == "NetworkError"
    assert status(tab) == "signed-in"


def test_blocked_storage_of_the_browser_signs_nobody_out(
    open_tab: Callable[..., Page], mode: str, account: dict[str, str]
) -> None:
    blocked = (
        "Object.defineProperty(globalThis, 'localStorage', { get() { throw new DOMException('', 'SecurityError'); } });"
    )
    tab = open_tab(blocked)
    assert tab.evaluate(LOAD) == ("signed-out" if mode == "cookie" else "unknown")
    sign_in(tab, account)
    tab.evaluate(SLEEP % "true", HOUR)
    assert tab.evaluate(STATUS_OF_ME) == 200
    tab.reload()
    tab.wait_for_function("globalThis.client")
    assert tab.evaluate(LOAD) == ("signed-in" if mode == "cookie" else "unknown")


def test_late_answer_of_a_refresh_does_not_replace_a_newer_session(
    open_tab: Callable[..., Page], context: BrowserContext, app: AppServer, account: dict[str, str]
) -> None:
    context.add_init_script("delete Navigator.prototype.locks;")
    first, second = open_tab(), open_tab()
    sign_in(first, account)
    app.delay = 1.5
    first.evaluate(SLEEP % "true", HOUR)
    first.evaluate("void (globalThis.late = client.getAccessToken())")
    first.wait_for_function("localStorage.length > 1")  # the lease: the refresh is on its way
    second.evaluate("client.signOut().catch(() => {})")
    first.evaluate("globalThis.late.catch(() => {})")
    assert [status(tab) for tab in (first, second)] == ["signed-out", "signed-out"]
    assert first.evaluate(STATUS_OF_ME) == 401
    sign_in(second, account)
    wait_for_status(first, "signed-in")
    assert [tab.evaluate(STATUS_OF_ME) for tab in (first, second)] == [200, 200]


def test_passkey_is_added_signs_in_alone_in_autofill_and_as_second_factor(
    open_tab: Callable[..., Page], context: BrowserContext, account: dict[str, str]
) -> None:
    tab = open_tab()
    devtools = context.new_cdp_session(tab)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    sign_in(tab, account)
    added = tab.evaluate("client.addPasskey({ name: 'Laptop' })")
    assert (added["passkey"]["name"], len(added["recovery_codes"])) == ("Laptop", 10)
    tab.evaluate("client.stepUp({ passkey: true })")
    assert tab.evaluate("client.session.claims.acr") == "phr"

    tab.evaluate("client.signOut()")
    assert tab.evaluate("client.signInWithPasskey()") == {"status": "signed-in"}
    assert status(tab) == "signed-in"

    tab.evaluate("client.signOut()")
    result = tab.evaluate("account => client.signIn(account)", account)
    assert (result["status"], result["factors"]) == ("second-factor", ["passkey", "recovery_code"])
    proved = tab.evaluate("ticket => client.secondFactor({ ticket, passkey: true })", result["ticket"])
    assert proved == {"status": "signed-in"}

    tab.evaluate("client.signOut()")
    assert tab.evaluate("latchkey.passkeySupport()") == {"available": True, "conditional": True}
    # A form was open for longer than its challenge lives: the client asks again, with a new one.
    expired = {"status": 400, "code": "invalid_ticket", "detail": "Sign in again."}
    tab.route("**/passkey/", lambda route: route.fulfill(status=400, json=expired), times=1)
    assert tab.evaluate("client.signInWithPasskey({ conditional: true })") == {"status": "signed-in"}

    tab.evaluate("client.signOut()")
    aborted = """() => {
        const controller = new AbortController();
        const waiting = client.signInWithPasskey({ conditional: true, signal: controller.signal });
        setTimeout(() => controller.abort(), 200);
        return waiting.catch(({ name }) => name);
    }"""
    devtools.send("WebAuthn.disable")  # there is no passkey to choose
    assert tab.evaluate(aborted) == "AbortError"


def test_passkey_works_in_browsers_without_the_json_functions_of_webauthn(
    open_tab: Callable[..., Page], context: BrowserContext, account: dict[str, str]
) -> None:
    context.add_init_script("""
        delete PublicKeyCredential.parseCreationOptionsFromJSON;
        delete PublicKeyCredential.parseRequestOptionsFromJSON;
        delete PublicKeyCredential.prototype.toJSON;
    """)
    tab = open_tab()
    devtools = context.new_cdp_session(tab)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    sign_in(tab, account)
    tab.evaluate("client.addPasskey({ name: 'Phone' })")
    tab.evaluate("client.signOut()")
    result = tab.evaluate("account => client.signIn(account)", account)
    tab.evaluate("ticket => client.secondFactor({ ticket, passkey: true })", result["ticket"])
    expect(tab.get_by_label("E-mail")).to_be_visible()
    assert tab.evaluate("client.session.claims.acr") == "phr"
