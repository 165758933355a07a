"""The code of docs/getting-started.md and docs/clients.md, run unchanged against a real Latchkey."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest

from latchkey.core import clock
from tests.factors.apps import code_at
from tests.people import Person
from tests.postgres import free_port
from tests.recipes.recipe import add_credential, code_blocks, run_program
from tests.server import Server

TUTORIAL, GUIDE = "../getting-started.md", "../clients.md"
HERE = Path(__file__).parent / "browser"
APP = """
import auth
from fastapi import FastAPI
app = FastAPI()
app.include_router(auth.router)
"""
Launch = Callable[..., Server]


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


def uvicorn(port: int) -> list[str]:
    return [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)]


def test_tutorial_app_accepts_only_signed_in_users(tmp_path: Path, launch: Launch) -> None:
    port, folder = free_port(), tmp_path / "my-app"
    origin = f"http://127.0.0.1:{port}"
    server = launch(LATCHKEY_CORS_ORIGINS=origin)
    (folder / "public").mkdir(parents=True)
    for name, language in {"app.py": "python", "public/auth.js": "javascript", "public/index.html": "html"}.items():
        (code,) = code_blocks(TUTORIAL, language)
        (folder / name).write_text(code)
    with (
        run_program(uvicorn(port), folder, port, **add_credential(server)) as url,
        httpx.Client(base_url=server.url) as http,
    ):
        page = httpx.get(f"{url}/").text
        assert "./auth.js" in page
        assert 'const LATCHKEY = "http://127.0.0.1:8000";' in httpx.get(f"{url}/auth.js").text
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        asked["Access-Control-Request-Headers"] = "authorization,content-type"
        allowed = http.options("/api/login/", headers=asked).headers
        assert allowed["Access-Control-Allow-Origin"] == origin
        assert {"authorization", "content-type"} <= set(allowed["Access-Control-Allow-Headers"].split(", "))
        alice = Person(http, "alice@example.com").register().login()
        assert httpx.get(f"{url}/hello").status_code == 401
        answer = httpx.get(f"{url}/hello", headers=alice.bearer())
        assert answer.json() == {"message": f"Hello alice@example.com, you are user {alice.id}."}
        alice.logout()
        assert httpx.get(f"{url}/hello", headers=alice.bearer()).status_code == 401


@pytest.fixture
def app(tmp_path: Path, launch: Launch) -> Iterator[tuple[httpx.Client, Server]]:
    """A browser at an app whose back end keeps the refresh token in a cookie, as in the guide."""
    server, port, folder = launch(LATCHKEY_TRUSTED_PROXIES="1"), free_port(), tmp_path / "app"
    folder.mkdir()
    (code,) = code_blocks(GUIDE, "python")
    (folder / "auth.py").write_text(code)
    (folder / "app.py").write_text(APP)
    origin = f"http://127.0.0.1:{port}"
    with (
        run_program(uvicorn(port), folder, port, LATCHKEY_URL=server.url, APP_ORIGIN=origin) as url,
        httpx.Client(base_url=url, headers={"Origin": origin, "User-Agent": "Mozilla/5.0 Firefox/145.0"}) as browser,
    ):
        with httpx.Client(base_url=server.url) as http:
            Person(http, "alice@example.com", "correct horse battery staple").register()
        yield browser, server


def sign_in(browser: httpx.Client, password: str = "correct horse battery staple") -> httpx.Response:
    return browser.post("/auth/login", json={"email": "alice@example.com", "password": password})


def test_cookie_guide_gives_the_page_access_tokens_and_never_the_refresh_token(
    app: tuple[httpx.Client, Server],
) -> None:
    browser, server = app
    assert browser.post("/auth/refresh").status_code == 401
    refused = sign_in(browser, "wrong")
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_credentials")
    assert refused.headers["Content-Type"] == "application/problem+json"
    signed_in = sign_in(browser)
    assert list(signed_in.json()) == ["access_token"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(signed_in.headers["Set-Cookie"].split("; "))
    sessions = httpx.get(
        f"{server.url}/api/sessions/", headers={"Authorization": f"Bearer {signed_in.json()['access_token']}"}
    ).json()
    assert [(each["ip"], each["user_agent"]) for each in sessions] == [("127.0.0.1", "Mozilla/5.0 Firefox/145.0")]
    first = browser.cookies["refresh"]
    assert list(browser.post("/auth/refresh").json()) == ["access_token"]
    assert browser.cookies["refresh"] != first
    last = browser.cookies["refresh"]
    assert browser.post("/auth/logout").status_code == 204
    assert "refresh" not in browser.cookies
    assert browser.post("/auth/refresh", headers={"Cookie": f"refresh={last}"}).status_code == 401


def test_cookie_guide_signs_in_with_a_second_factor_and_keeps_the_refresh_token_in_the_cookie(
    app: tuple[httpx.Client, Server],
) -> None:
    browser, server = app
    bearer = {"Authorization": f"Bearer {sign_in(browser).json()['access_token']}"}
    with httpx.Client(base_url=server.url, headers=bearer) as http:
        secret = http.post("/api/me/totp/").json()["secret"]
        confirmed = http.post("/api/me/totp/confirm/", json={"code": code_at(secret, clock.now())})
    browser.cookies.clear()
    asked = sign_in(browser)
    assert (asked.status_code, asked.json()["code"]) == (403, "second_factor_required")
    assert "refresh" not in browser.cookies
    given = {"ticket": asked.json()["ticket"], "recovery_code": confirmed.json()["recovery_codes"][0]}
    assert list(browser.post("/auth/second-factor", json=given).json()) == ["access_token"]
    assert list(browser.post("/auth/refresh").json()) == ["access_token"]


def test_cookie_guide_refuses_requests_from_another_origin(app: tuple[httpx.Client, Server]) -> None:
    browser, _ = app
    sign_in(browser)
    for path, origin in product(
        ("login", "second-factor", "refresh", "logout"), ("https://mallory.example", "null", "")
    ):
        answer = browser.post(f"/auth/{path}", json={}, headers={"Origin": origin})
        assert answer.status_code == 403, (path, origin)
    assert browser.post("/auth/refresh").status_code == 200


def test_cookie_guide_gives_parallel_refreshes_the_same_new_cookie(app: tuple[httpx.Client, Server]) -> None:
    browser, _ = app
    sign_in(browser)
    headers = dict(browser.headers) | {"Cookie": f"refresh={browser.cookies['refresh']}"}

    def refresh(_: int) -> httpx.Response:
        return httpx.post(f"{browser.headers['Origin']}/auth/refresh", headers=headers)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(refresh, range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.cookies["refresh"] for answer in answers}) == 1


def test_cookie_guide_keeps_the_cookie_during_an_outage_of_latchkey(app: tuple[httpx.Client, Server]) -> None:
    browser, server = app
    sign_in(browser)
    server.kill()
    for path in ("refresh", "logout"):
        answer = browser.post(f"/auth/{path}")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "refresh" in browser.cookies
    server.restart()
    assert browser.post("/auth/refresh").status_code == 200


def drive(program: str, code: str, folder: Path, *arguments: str) -> Any:
    """Run a program of tests/recipes/browser on a module of the page; return its observations."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("This test needs Node 20 or newer", pytrace=False)
    folder.mkdir()
    shutil.copy(HERE / program, folder)
    (folder / "auth.mjs").write_text(code)
    command = [node, program, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.recipes
def test_tutorial_javascript_module_retries_after_lost_responses(tmp_path: Path, launch: Launch) -> None:
    server = launch()
    (code,) = code_blocks(TUTORIAL, "javascript")
    code = code.replace("http://127.0.0.1:8000", server.url)
    assert drive("memory.mjs", code, tmp_path / "page", server.url) == {
        "before": [False, "Not signed in."],
        "wrong": "invalid_credentials",
        "after": [True, 200],
        "parallel": 1,
        "retry": [3, True, 200],
        "offline": ["Latchkey cannot be reached.", True],
        "online": 200,
        "ended": ["invalid_refresh_token", False],
        "out": [False, "Not signed in."],
    }


@pytest.mark.recipes
def test_cookie_guide_javascript_module_keeps_two_tabs_signed_in(
    app: tuple[httpx.Client, Server], tmp_path: Path
) -> None:
    browser, server = app
    (code,) = code_blocks(GUIDE, "javascript")
    assert drive("cookie.mjs", code, tmp_path / "page", browser.headers["Origin"], server.url) == {
        "start": ["unknown", "Signed out.", "signed out"],
        "wrong": "invalid_credentials",
        "in": [["signed in", "signed in"], 200, 200, True],
        "parallel": 2,
        "retry": [True, 200, 200],
        "offline": ["The server cannot be reached.", ["signed in", "signed in"]],
        "out": [["signed out", "signed out"], "", "Signed out."],
    }
