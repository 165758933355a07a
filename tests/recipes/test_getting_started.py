"""The app of docs/getting-started.md in Chromium, with the client and by hand, against a real Latchkey."""

import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from latchkey.core import clock
from tests.factors.apps import code_at, wrong_code
from tests.people import Person
from tests.postgres import free_port
from tests.recipes.conftest import Launch
from tests.recipes.recipe import add_credential, code_blocks, run_program
from tests.server import Server

pytestmark = pytest.mark.recipes
TUTORIAL = "../getting-started.md"
PYTHON_CLIENT = Path(__file__).parents[2] / "clients" / "python" / "src"
EMAIL, PASSWORD = "alice@example.com", "correct horse battery staple"


@dataclass
class App:
    server: Server
    url: str
    browser: Browser

    def open_tab(self) -> Page:
        """Open a tab in a new profile."""
        tab = self.browser.new_context().new_page()
        tab.set_default_timeout(15_000)
        tab.goto(self.url)
        return tab

    def open_signed_in_tab(self) -> Page:
        tab = self.open_tab()
        submit(tab, "Sign up")
        expect(tab.get_by_role("button", name="Sign out")).to_be_visible()
        return tab


@pytest.fixture(params=["client", "by hand"])
def app(
    request: pytest.FixtureRequest, project: Path, tmp_path: Path, launch: Launch, chromium: Browser
) -> Iterator[App]:
    """The files of the tutorial, served as it says."""
    page_port, api_port = free_port(), free_port()
    origin = f"http://localhost:{page_port}"
    server = launch(LATCHKEY_CORS_ORIGINS=origin)
    latchkey = f"http://localhost:{server.port}"
    (html,) = code_blocks(TUTORIAL, "html")
    main, config, by_hand = code_blocks(TUTORIAL, "javascript")
    if request.param == "by hand":
        main, replaced = re.subn(r"^import .*?\n\nconst latchkey .*?\n", IMPORT_BY_HAND, main)
        assert replaced == 1
        (project / "auth.js").write_text(by_hand.replace("http://localhost:8000", latchkey))
    assert request.param == "by hand" or "http://localhost:8000" in main
    assert "http://127.0.0.1:5174" in config
    (project / "index.html").write_text(html)
    (project / "main.js").write_text(main.replace("http://localhost:8000", latchkey))
    (project / "vite.config.mjs").write_text(config.replace("http://127.0.0.1:5174", f"http://127.0.0.1:{api_port}"))
    (code,) = code_blocks(TUTORIAL, "python")
    (tmp_path / "app.py").write_text(code)
    uvicorn = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(api_port)]
    environment = {**add_credential(server), "PYTHONPATH": str(PYTHON_CLIENT)}
    vite = [str(shutil.which("node")), "../node_modules/vite/bin/vite.js", "--host", "127.0.0.1", "--port"]
    with (
        run_program(uvicorn, tmp_path, api_port, **environment),
        run_program([*vite, str(page_port)], project, page_port),
    ):
        yield App(server, origin, chromium)


IMPORT_BY_HAND = 'import * as latchkey from "./auth.js";\n'


def submit(tab: Page, button: str, email: str = EMAIL) -> None:
    tab.get_by_label("E-mail").fill(email)
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name=button).click()


def call_api(tab: Page) -> None:
    tab.get_by_role("button", name="Call my API").click()


def test_tutorial_app_keeps_people_signed_in_and_calls_its_api(app: App) -> None:
    tab = app.open_tab()
    expect(tab.get_by_role("button", name="Sign in")).to_be_visible()
    submit(tab, "Sign in")
    expect(tab.locator("output")).not_to_have_text("")
    submit(tab, "Sign up", "a@b")
    expect(tab.locator("output")).to_contain_text("has no dot")
    submit(tab, "Sign up")
    call_api(tab)
    expect(tab.locator("output")).to_have_text(re.compile(rf"Hello {EMAIL}, you are user \d+\."))
    tab.reload()
    expect(tab.get_by_role("button", name="Sign out")).to_be_visible()
    (cookie,) = tab.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("latchkey-refresh", True, "Strict")
    stored = tab.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert cookie["value"] not in stored
    assert "eyJ" not in stored


def test_tutorial_app_signs_out_in_all_tabs(app: App) -> None:
    one = app.open_signed_in_tab()
    two = one.context.new_page()
    two.goto(app.url)
    expect(two.get_by_role("button", name="Sign out")).to_be_visible()
    with one.expect_response("**/api/browser/logout/"):
        one.get_by_role("button", name="Sign out").click()
    for tab in (one, two):
        expect(tab.get_by_role("button", name="Sign in")).to_be_visible()
    assert one.context.cookies() == []


def test_tutorial_app_asks_for_a_second_factor(app: App) -> None:
    with httpx.Client(base_url=app.server.url) as http:
        alice = Person(http, EMAIL, PASSWORD).register().login()
        secret = http.post("/api/me/totp/", headers=alice.bearer()).json()["secret"]
        http.post("/api/me/totp/confirm/", headers=alice.bearer(), json={"code": code_at(secret, clock.now())})
    tab = app.open_tab()
    codes = [wrong_code(secret, clock.now()), code_at(secret, clock.now(), 1)]
    tab.once("dialog", lambda dialog: dialog.dismiss())
    with tab.expect_event("dialog"):
        submit(tab, "Sign in")
    expect(tab.locator("output")).to_have_text("")
    tab.on("dialog", lambda dialog: dialog.accept(codes.pop(0)))
    submit(tab, "Sign in")
    expect(tab.locator("output")).to_have_text(re.compile("code is wrong"))
    submit(tab, "Sign in")
    expect(tab.get_by_role("button", name="Sign out")).to_be_visible()


def test_tutorial_app_is_offline_and_not_signed_out_while_latchkey_is_down(app: App) -> None:
    tab = app.open_signed_in_tab()
    app.server.kill()
    tab.reload()
    expect(tab.locator("output")).to_have_text(re.compile("No answer from Latchkey"), timeout=30_000)
    expect(tab.get_by_role("button", name="Sign in")).to_be_hidden()
    app.server.restart()
    expect(tab.get_by_role("button", name="Sign out")).to_be_visible(timeout=30_000)
    call_api(tab)
    expect(tab.locator("output")).to_contain_text("Hello")


def test_tutorial_app_repeats_a_lost_refresh_with_the_same_key(app: App) -> None:
    tab = app.open_signed_in_tab()
    keys: list[str] = []

    def lose(route: Route, request: Request) -> None:
        """Let Latchkey answer, but not the browser hear of it, once."""
        headers = request.all_headers()
        keys.append(headers["idempotency-key"])
        if len(keys) > 1:
            route.continue_()
            return
        sent = {name: headers[name] for name in ("cookie", "origin", "content-type", "idempotency-key")}
        assert httpx.post(request.url, headers=sent, content=request.post_data).status_code == 200
        route.abort()

    tab.route("**/api/browser/refresh/", lose)
    tab.reload()
    expect(tab.get_by_role("button", name="Sign out")).to_be_visible()
    assert len(keys) == 2
    assert len(set(keys)) == 1
    tab.reload()
    expect(tab.get_by_role("button", name="Sign out")).to_be_visible()
    assert len(set(keys)) == 2
