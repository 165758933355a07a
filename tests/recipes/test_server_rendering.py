"""The servers of docs/guides/server-rendering.md: Express and Next as they run, the hook of SvelteKit in Node."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.clients.typescript.conftest import run
from tests.postgres import free_port
from tests.recipes.conftest import Launch
from tests.recipes.recipe import run_program
from tests.recipes.snippets import named_blocks, write_files
from tests.server import Server

pytestmark = pytest.mark.recipes
GUIDE = "guides/server-rendering.md"
ACCOUNT = {"email": "alice@example.com", "password": "correct horse battery staple"}
COOKIE = "latchkey-refresh"
FILES = {"express": ["server.mjs"], "next": ["proxy.ts", "app/page.tsx"], "sveltekit": ["src/hooks.server.ts"]}
NEXT_LAYOUT = """export default function Layout({ children }: { children: React.ReactNode }) {
  return <html lang="en"><body>{children}</body></html>;
}
"""
SVELTEKIT_SERVER = """// Calls the hook as SvelteKit does, with a page that says who is signed in.
import { createServer } from "node:http";
import { handle } from "./src/hooks.server.ts";

createServer(async (request, response) => {
  const headers = new Headers(request.headers);
  const event = { request: new Request(`http://localhost${request.url}`, { headers }), locals: {} };
  event.getClientAddress = () => request.socket.remoteAddress;
  const page = await handle({ event, resolve: async ({ locals }) => {
    const { status } = locals.session;
    if (status === "unknown") return new Response("Please try again in a moment.", { status: 503 });
    if (status === "signed-out") return new Response("Sign in");
    const answer = await locals.latchkey.fetch(`${process.env.LATCHKEY_URL}/api/me/`);
    return new Response(`You are user ${(await answer.json()).id}.`);
  } });
  response.setHeader("Set-Cookie", page.headers.getSetCookie());
  response.writeHead(page.status).end(await page.text());
}).listen(process.env.PORT);
"""


@pytest.fixture(params=["express", "next", "sveltekit"])
def site(request: pytest.FixtureRequest, project: Path, launch: Launch) -> Iterator[tuple[str, Server]]:
    """A site that renders pages with the files of the guide, and the Latchkey behind it."""
    port = free_port()
    origin = f"http://localhost:{port}"
    server = launch(LATCHKEY_CORS_ORIGINS=origin, LATCHKEY_TRUSTED_PROXIES="1")
    written = named_blocks(GUIDE)
    write_files(project, {name: written[name] for name in FILES[request.param]})
    node = str(shutil.which("node"))
    command = {
        "express": [node, "server.mjs"],
        "next": [node, "../node_modules/next/dist/bin/next", "dev", "--port", str(port)],
        "sveltekit": [node, "../node_modules/vite/bin/vite.js", "build", "--ssr", "server.mjs"],
    }[request.param]
    environment = {"PORT": str(port), "LATCHKEY_URL": server.url, "APP_ORIGIN": origin, "RENDER_SECRET": "s" * 32}
    environment["NEXT_TELEMETRY_DISABLED"] = "1"
    if request.param == "next":
        (project / "app" / "layout.tsx").write_text(NEXT_LAYOUT)
    if request.param == "sveltekit":
        (project / "server.mjs").write_text(SVELTEKIT_SERVER)
        run(*command, cwd=project)
        command = [node, "dist/server.js"]
    with run_program(command, project, port, **environment):
        yield origin, server


def sign_in(server: Server, origin: str) -> str:
    """Sign in as the page does; return the value of the cookie."""
    httpx.post(f"{server.url}/api/register/", json=ACCOUNT)
    answer = httpx.post(f"{server.url}/api/browser/login/", json=ACCOUNT, headers={"Origin": origin})
    return answer.cookies[COOKIE]


def open_page(url: str, cookie: str = "") -> httpx.Response:
    headers = {"Cookie": f"theme=dark; {COOKIE}={cookie}"} if cookie else {}
    return httpx.get(url, headers=headers, timeout=60)


def test_pages_are_rendered_for_the_person_and_pass_the_new_cookie_on(site: tuple[str, Server]) -> None:
    url, server = site
    assert "Sign in" in open_page(url).text
    cookie = sign_in(server, url)
    page = open_page(url, cookie)
    assert "You are user" in page.text.replace("<!-- -->", "")
    (header,) = page.headers.get_list("Set-Cookie")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(header.split("; "))
    assert page.cookies[COOKIE] != cookie
    assert "You are user" in open_page(url, page.cookies[COOKIE]).text.replace("<!-- -->", "")
    assert "Sign in" in open_page(url, "2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42").text


def test_parallel_renders_of_one_browser_get_the_same_new_cookie(site: tuple[str, Server]) -> None:
    url, server = site
    cookie = sign_in(server, url)
    with ThreadPoolExecutor(20) as pool:
        pages = list(pool.map(lambda _: open_page(url, cookie), range(20)))
    assert all("You are user" in page.text.replace("<!-- -->", "") for page in pages)
    (last,) = {page.cookies[COOKIE] for page in pages}
    assert "You are user" in open_page(url, last).text.replace("<!-- -->", "")
    assert server.shell("print(Session.objects.count())") == "1"


def test_pages_do_not_sign_out_while_latchkey_is_down(site: tuple[str, Server]) -> None:
    url, server = site
    cookie = sign_in(server, url)
    server.kill()
    page = open_page(url, cookie)
    assert "try again" in page.text
    assert "Set-Cookie" not in page.headers
    server.restart()
    assert "You are user" in open_page(url, cookie).text.replace("<!-- -->", "")
