"""The package as it is published: size, types, contents; used by Node, Vite and Next, and its hooks in React."""

import gzip
import json
import re
import shutil
import tarfile
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, expect

from tests.clients.typescript.app_server import AppServer
from tests.clients.typescript.conftest import SOURCE, run, sign_in
from tests.postgres import free_port
from tests.recipes.recipe import run_program
from tests.server import Server

pytestmark = pytest.mark.clients
MAX_SIZE = 6_000
"""Bytes of the client for browsers, minified and compressed (gzip)."""
APPS = Path(__file__).with_name("apps")


def bundle(package: Path, entry: str, output: Path) -> bytes:
    """Bundle a module with esbuild; return the minified code."""
    options = ["--bundle", "--minify", "--format=esm", '--define:process.env.NODE_ENV="development"']
    run("npx", "esbuild", entry, *options, f"--outfile={output}", cwd=package)
    return output.read_bytes()


@pytest.fixture(scope="session")
def tarball(package: Path) -> Path:
    """What `npm pack` makes."""
    packed = json.loads(run("npm", "pack", "--json", "--ignore-scripts", cwd=package))
    return package / str(packed[0]["filename"])


def install(name: str, tarball: Path, folder: Path) -> Path:
    """Install an app of `apps/` with its locked packages and the tarball; return its folder."""
    app = folder / name
    shutil.copytree(APPS / name, app)
    run("npm", "ci", "--no-audit", "--no-fund", cwd=app)
    run("npm", "install", "--no-save", "--no-audit", "--no-fund", tarball, cwd=app)
    return app


def test_client_for_browsers_has_at_most_six_kilobytes(package: Path, tmp_path: Path) -> None:
    size = len(gzip.compress(bundle(package, "dist/index.js", tmp_path / "bundle.js"), 9))
    print(f"{size} bytes")
    assert size <= MAX_SIZE


def test_types_are_strict_and_those_of_the_openapi_document(package: Path) -> None:
    document = SOURCE.parents[1] / "docs" / "openapi.yaml"
    run("npx", "tsc", cwd=package)
    run("npx", "openapi-typescript", document, "--output", "src/api.ts", "--check", cwd=package)


def test_package_has_no_dependencies_and_its_lock_names_no_other_registry() -> None:
    manifest = json.loads((SOURCE / "package.json").read_text())
    assert "dependencies" not in manifest
    assert manifest["peerDependenciesMeta"] == {"react": {"optional": True}}
    for lock in (SOURCE / "package-lock.json", *APPS.glob("*/package-lock.json")):
        hosts = set(re.findall(r'"resolved": "([a-z]+://[^/]+)', lock.read_text()))
        assert hosts <= {"https://registry.npmjs.org"}


def test_tarball_has_the_built_modules_their_types_and_the_documents(tarball: Path) -> None:
    with tarfile.open(tarball) as packed:
        names = {name.removeprefix("package/") for name in packed.getnames()}
    modules = {path.stem for path in (SOURCE / "src").glob("*.ts")}
    built = {f"dist/{module}{suffix}" for module in modules for suffix in (".js", ".d.ts")}
    assert names == built | {"package.json", "README.md", "LICENSE"}


def test_node_imports_the_entries_without_react(tarball: Path, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"private": true, "type": "module"}')
    run("npm", "install", "--no-save", "--omit=peer", "--no-audit", "--no-fund", tarball, cwd=tmp_path)
    (tmp_path / "main.js").write_text(
        """import { createClient, memoryStorage } from "latchkey-client";
        import { createServerClient } from "latchkey-client/server";
        const client = createClient({ url: "http://127.0.0.1:9", storage: memoryStorage() });
        const server = createServerClient({ url: "http://127.0.0.1:9", origin: "http://localhost", cookie: "" });
        console.log((await client.load()).status, (await server.refresh()).session.status);"""
    )
    assert run("node", "main.js", cwd=tmp_path).split() == ["signed-out", "signed-out"]


def test_vite_builds_an_app_with_strict_types(
    tarball: Path, tmp_path: Path, context: BrowserContext, app: AppServer
) -> None:
    folder = install("vite", tarball, tmp_path)
    run("npm", "run", "types", cwd=folder)
    run("npm", "run", "build", "--", "--base", "/dist/", cwd=folder)
    app.dist = folder / "dist"
    tab = context.new_page()
    tab.goto(f"{app.url}/dist/index.html")
    expect(tab.locator("output")).to_have_text("signed-out")


def test_next_renders_a_page_with_the_session_of_the_cookie(
    tarball: Path, tmp_path: Path, server: Server, app: AppServer, account: dict[str, str]
) -> None:
    folder = install("next", tarball, tmp_path)
    environment = {"LATCHKEY_URL": server.url, "APP_ORIGIN": app.url, "NEXT_TELEMETRY_DISABLED": "1"}
    run("npm", "run", "build", cwd=folder, timeout=400, **environment)
    signed_in = httpx.post(f"{server.url}/api/browser/login/", json=account, headers={"Origin": app.url})
    cookie = signed_in.headers["Set-Cookie"].partition(";")[0]
    port = free_port()
    command = ["node", "node_modules/next/dist/bin/next", "start", "--port", str(port)]
    with run_program(command, folder, port, **environment) as url:
        texts = {given: httpx.get(url, headers={"Cookie": given}).text for given in ("", cookie)}
    for given, status in (("", "signed-out"), (cookie, "signed-in")):
        assert f'<p id="server">{status}</p>' in texts[given]
        assert '<p id="client">unknown</p>' in texts[given]


def test_react_hooks_render_again_after_sign_in_and_sign_out(
    package: Path, tmp_path: Path, context: BrowserContext, app: AppServer, account: dict[str, str]
) -> None:
    bundle(package, "test/react-page.mjs", tmp_path / "page.js")
    (tmp_path / "page.html").write_text("<body><script type=module src=page.js></script></body>")
    app.dist = tmp_path
    tab = context.new_page()
    tab.goto(f"{app.url}/dist/page.html")
    expect(tab.locator("button")).to_have_text("signed-out nobody")
    sign_in(tab, account)
    user = tab.evaluate("client.session.userId")
    expect(tab.locator("button")).to_have_text(f"signed-in {user}")
    renders = tab.evaluate("renders")
    tab.evaluate("client.fetch('/api/me/')")
    assert tab.evaluate("renders") == renders
    tab.locator("button").click()
    expect(tab.locator("button")).to_have_text("signed-out nobody")
    assert app.refreshes == []
