"""The built package of the TypeScript client, and Node."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.conftest import FLAGS
from tests.clients.typescript.app_server import AppServer, serve_app
from tests.people import PASSWORD
from tests.postgres import free_port
from tests.server import Server

SOURCE = Path(__file__).parents[3] / "clients" / "typescript"
MODES = ("stored", "cookie")


def run(*command: str | Path, cwd: Path, timeout: float = 240, **environment: str) -> str:
    """Run a program to its end; return its output. Fails with the output if the exit code is not 0."""
    found = shutil.which(str(command[0]))
    if found is None:
        pytest.fail(f"This test needs {command[0]} (Node 20 or newer, with npm)", pytrace=False)
    done = subprocess.run(
        [found, *map(str, command[1:])],
        cwd=cwd,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the locked development dependencies, built by `tsc`."""
    folder = tmp_path_factory.mktemp("clients") / "typescript"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("node_modules", "dist", "*.tgz"))
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)
    run("npm", "run", "build", cwd=folder)
    return folder


@pytest.fixture
def app(package: Path) -> Iterator[AppServer]:
    """The origin of a web app, before Latchkey runs behind it."""
    with serve_app(free_port(), package / "dist") as running:
        yield running


@pytest.fixture
def server(tmp_path: Path, database_url: str, app: AppServer) -> Iterator[Server]:
    """A Latchkey behind the app, which accepts browser sessions and passkeys of its origin."""
    folder, url = tmp_path / "latchkey", app.url
    running = Server(folder, database_url, LATCHKEY_CORS_ORIGINS=url, LATCHKEY_PASSKEY_ORIGINS=url).start()
    running.raise_address_limits()
    app.upstream = running.url.removeprefix("http://")
    yield running
    running.kill()


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(server: Server, chromium: Browser) -> BrowserContext:
    """A browser profile, whose tabs share storage and cookies."""
    return chromium.new_context()


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """Where the refresh token is kept: in localStorage, or in a cookie."""
    return str(request.param)


@pytest.fixture
def open_tab(app: AppServer, context: BrowserContext, mode: str) -> Callable[..., Page]:
    """Open a tab with the app, after a script; it has `client`, `changes` and `use` as global variables."""

    def open_tab(script: str = "") -> Page:
        tab = context.new_page()
        tab.add_init_script(script)
        tab.set_default_timeout(15_000)
        tab.goto(f"{app.url}/?mode={mode}")
        tab.wait_for_function("globalThis.client")
        return tab

    return open_tab


@pytest.fixture
def account(server: Server) -> dict[str, str]:
    """Credentials of a registered user."""
    account = {"email": f"{uuid4()}@example.com", "password": PASSWORD}
    assert httpx.post(f"{server.url}/api/register/", json=account).status_code == 201
    return account


def sign_in(tab: Page, account: dict[str, str]) -> None:
    """Sign in with the client of a tab."""
    assert tab.evaluate("account => client.signIn(account)", account) == {"status": "signed-in"}
