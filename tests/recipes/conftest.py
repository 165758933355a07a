"""The npm packages that the guides use, and a server at an address of the test's own."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import FLAGS
from tests.clients.typescript import conftest as typescript
from tests.postgres import free_port
from tests.server import Server

Launch = Callable[..., Server]
run = typescript.run
package = typescript.package


@pytest.fixture
def launch(tmp_path: Path, database_url: str) -> Iterator[Launch]:
    """Start Latchkey with these environment variables."""
    started: list[Server] = []

    def start(**environment: str) -> Server:
        started.append(Server(tmp_path / "latchkey", database_url, 1, 4, **environment).start())
        return started[0]

    yield start
    for server in started:
        server.kill()


@pytest.fixture(scope="session")
def npm_folder(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the locked packages of tests/recipes/guides, and with the client as `npm pack` makes it.

    Projects are folders in it, and find the packages in its node_modules.
    """
    folder = tmp_path_factory.mktemp("guides")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(Path(__file__).parent / "guides" / name, folder)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund")
    run("npm", "ci", *quiet, cwd=folder)
    run("npm", "pack", "--pack-destination", folder, cwd=package)
    (archive,) = folder.glob("latchkey-client-*.tgz")
    run("npm", "install", "--no-save", *quiet, archive, cwd=folder)
    return folder


@pytest.fixture
def project(npm_folder: Path) -> Iterator[Path]:
    """An empty folder in which the packages can be imported."""
    folder = npm_folder / f"project-{free_port()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()
