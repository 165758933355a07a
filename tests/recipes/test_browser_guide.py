"""The files of docs/guides/browser.md in Chromium, and the types of all guides."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from latchkey.core import clock
from tests.clients.typescript.conftest import run
from tests.factors.apps import code_at, wrong_code
from tests.people import Person
from tests.postgres import free_port
from tests.recipes.conftest import Launch
from tests.recipes.recipe import run_program
from tests.recipes.snippets import named_blocks, write_files
from tests.server import Server

pytestmark = pytest.mark.recipes
GUIDE = "guides/browser.md"
EMAIL, PASSWORD = "alice@example.com", "correct horse battery staple"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
PAGE = '<!doctype html><div id="root"></div><script type="module" src="/main.tsx"></script>'
MODULES = """<!doctype html><input autocomplete="username webauthn"><script type="module">
import "./session.ts";
import { latchkey } from "./latchkey.ts";
import * as signIn from "./sign-in.ts";
import * as passkeys from "./passkeys.ts";
import * as stepUp from "./step-up.ts";
import { describe } from "./errors.ts";
globalThis.guide = { latchkey, describe, ...signIn, ...passkeys, ...stepUp };
</script>"""


@pytest.mark.parametrize("page", ["browser", "mobile", "server-rendering"])
def test_typescript_of_the_guides_has_no_type_errors(npm_folder: Path, project: Path, page: str) -> None:
    write_files(project, named_blocks(f"guides/{page}.md"))
    for name in ("tsconfig.json", "types/modules.d.ts"):
        shutil.copy(Path(__file__).parent / "guides" / name, project)
    run("node", npm_folder / "node_modules" / "typescript" / "bin" / "tsc", "--noEmit", cwd=project)


@pytest.fixture
def server(launch: Launch) -> Server:
    """Latchkey on localhost, the domain of the passkeys."""
    origin = f"http://localhost:{free_port()}"
    server = launch(
        LATCHKEY_CORS_ORIGINS=origin, LATCHKEY_PASSKEY_ORIGINS=origin, LATCHKEY_PUBLIC_URL="http://localhost:8000"
    )
    with httpx.Client(base_url=server.url) as http:
        Person(http, EMAIL, PASSWORD).register()
    return server


@pytest.fixture
def tab(server: Server, project: Path, chromium: Browser) -> Iterator[Page]:
    """A tab of the app that consists of the files of the guide."""
    origin = server.environment["LATCHKEY_CORS_ORIGINS"]
    port = int(origin.rpartition(":")[2])
    files = named_blocks(GUIDE)
    write_files(project, files, {"http://localhost:8000": f"http://localhost:{server.port}"})
    write_files(project, {"index.html": PAGE, "modules.html": MODULES})
    shutil.copy(Path(__file__).parent / "guides" / "tsconfig.json", project)
    vite = [str(shutil.which("node")), "../node_modules/vite/bin/vite.js", "--host", "127.0.0.1", "--port", str(port)]
    with run_program(vite, project, port):
        page = chromium.new_context(base_url=origin).new_page()
        page.set_default_timeout(30_000)
        yield page


def set_up_totp(server: Server) -> str:
    """Add an authenticator app to the account; return its secret."""
    with httpx.Client(base_url=server.url) as http:
        alice = Person(http, EMAIL, PASSWORD).login()
        secret: str = http.post("/api/me/totp/", headers=alice.bearer()).json()["secret"]
        code = code_at(secret, clock.now())
        assert http.post("/api/me/totp/confirm/", headers=alice.bearer(), json={"code": code}).status_code == 200
    return secret


def next_code(secret: str) -> str:
    """Return the code after the one that set_up_totp has used; it is accepted as one step ahead."""
    return code_at(secret, clock.now(), 1)


def open_modules(tab: Page) -> None:
    tab.goto("/modules.html")
    tab.wait_for_function("globalThis.guide && document.body.dataset.session !== undefined")


def test_react_app_signs_in_with_a_second_factor(tab: Page, server: Server) -> None:
    secret = set_up_totp(server)
    tab.goto("/")
    tab.get_by_label("E-mail").fill(EMAIL)
    tab.get_by_label("Password").fill("a wrong password")
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_role("alert")).to_have_text("E-mail address or password is wrong.")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    tab.get_by_label("Code").fill(wrong_code(secret, clock.now()))
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_role("alert")).to_have_text(re.compile("code is wrong"))
    tab.get_by_label("Code").fill(next_code(secret))
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_text("You are user")).to_be_visible()
    tab.reload()
    expect(tab.get_by_text("You are user")).to_be_visible()
    tab.get_by_role("button", name="Sign out").click()
    expect(tab.get_by_label("E-mail")).to_be_visible()


def test_react_app_begins_again_when_the_ticket_has_expired(tab: Page, server: Server) -> None:
    set_up_totp(server)
    tab.goto("/")
    tab.get_by_label("E-mail").fill(EMAIL)
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_label("Code")).to_be_focused()
    server.shell("from latchkey.factors.tickets import Ticket; Ticket.objects.all().delete()")
    tab.get_by_label("Code").fill("123456")
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_role("alert")).to_have_text(re.compile("expired"))
    expect(tab.get_by_label("Password")).to_be_visible()


def test_modules_sign_in_with_codes_and_ask_again_after_a_wrong_one(tab: Page, server: Server) -> None:
    secret = set_up_totp(server)
    open_modules(tab)
    messages = tab.evaluate(
        """async ([email, password, codes]) => {
            const messages = [];
            await guide.signIn(email, password, async (message) => (messages.push(message), codes.shift()));
            return messages;
        }""",
        [EMAIL, PASSWORD, [wrong_code(secret, clock.now()), next_code(secret)]],
    )
    assert messages == [
        "Code of your authenticator app",
        "This code is wrong or was used already. Wait for the next one.",
    ]
    expect(tab.locator("body[data-session=signed-in]")).to_be_attached()
    assert tab.evaluate("guide.deleteTotp(async () => '000000')") is True
    tab.evaluate("passwords => guide.changePassword(...passwords)", [PASSWORD, "five orange boats"])
    assert tab.evaluate("async () => (await guide.latchkey.fetch('/')).status") == 200


def test_modules_add_a_passkey_and_sign_in_with_it(tab: Page, server: Server) -> None:
    devtools = tab.context.new_cdp_session(tab)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    open_modules(tab)
    tab.evaluate("account => guide.latchkey.signIn(account)", {"email": EMAIL, "password": PASSWORD})
    tab.evaluate("guide.addPasskey('Laptop')")
    tab.evaluate("guide.latchkey.signOut()")
    expect(tab.locator("body[data-session=signed-out]")).to_be_attached()
    tab.evaluate("guide.signInWithPasskey()")
    expect(tab.locator("body[data-session=signed-in]")).to_be_attached()
    tab.evaluate("guide.latchkey.signOut()")
    tab.evaluate("guide.offerPasskeys()")
    expect(tab.locator("body[data-session=signed-in]")).to_be_attached()


def test_errors_have_a_sentence_for_the_form(tab: Page, server: Server) -> None:
    open_modules(tab)
    sentence = "account => guide.latchkey.signIn(account).catch(guide.describe)"
    wrong = {"email": EMAIL, "password": "wrong"}
    assert tab.evaluate(sentence, wrong) == "E-mail address or password is wrong."
    sign_up = "account => guide.latchkey.signUp(account).catch(guide.describe)"
    assert "valid" in tab.evaluate(sign_up, {"email": "no address", "password": PASSWORD})
    for _ in range(10):
        httpx.post(f"{server.url}/api/login/", json=wrong)
    assert re.fullmatch(r"Too many attempts\. Try again in \d+ seconds\.", tab.evaluate(sentence, wrong))
    server.kill()
    assert tab.evaluate(sentence, wrong) == "No connection. Please try again."
