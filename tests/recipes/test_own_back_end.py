"""The back end of docs/guides/own-back-end.md, run unchanged in front of a real Latchkey."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from latchkey.core import clock
from tests.factors.apps import code_at
from tests.people import Person
from tests.postgres import free_port
from tests.recipes.conftest import Launch
from tests.recipes.recipe import code_blocks, run_program
from tests.server import Server

GUIDE = "../guides/own-back-end.md"
APP = """
import auth
from fastapi import FastAPI
app = FastAPI()
app.include_router(auth.router)
"""


def uvicorn(port: int) -> list[str]:
    return [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)]


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
    return browser.post("/api/browser/login/", json={"email": "alice@example.com", "password": password})


def test_own_back_end_gives_the_page_access_tokens_and_never_the_refresh_token(
    app: tuple[httpx.Client, Server],
) -> None:
    browser, server = app
    unknown = browser.post("/api/browser/refresh/")
    assert (unknown.status_code, unknown.json()["code"]) == (401, "invalid_refresh_token")
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
    assert list(browser.post("/api/browser/refresh/").json()) == ["access_token"]
    assert browser.cookies["refresh"] != first
    last = browser.cookies["refresh"]
    assert browser.post("/api/browser/logout/").status_code == 200
    assert "refresh" not in browser.cookies
    assert browser.post("/api/browser/refresh/", headers={"Cookie": f"refresh={last}"}).status_code == 401


def test_own_back_end_signs_in_with_a_second_factor_and_keeps_the_refresh_token_in_the_cookie(
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
    assert list(browser.post("/api/browser/second-factor/", json=given).json()) == ["access_token"]
    assert list(browser.post("/api/browser/refresh/").json()) == ["access_token"]


def test_own_back_end_refuses_requests_from_another_origin(app: tuple[httpx.Client, Server]) -> None:
    browser, _ = app
    sign_in(browser)
    for path, origin in product(
        ("login", "second-factor", "refresh", "logout"), ("https://mallory.example", "null", "")
    ):
        answer = browser.post(f"/api/browser/{path}/", json={}, headers={"Origin": origin})
        assert answer.status_code == 403, (path, origin)
    assert browser.post("/api/browser/refresh/").status_code == 200


def test_own_back_end_gives_parallel_refreshes_the_same_new_cookie(app: tuple[httpx.Client, Server]) -> None:
    browser, _ = app
    sign_in(browser)
    headers = dict(browser.headers) | {"Cookie": f"refresh={browser.cookies['refresh']}"}

    def refresh(_: int) -> httpx.Response:
        return httpx.post(f"{browser.headers['Origin']}/api/browser/refresh/", headers=headers)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(refresh, range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.cookies["refresh"] for answer in answers}) == 1


def test_own_back_end_keeps_the_cookie_during_an_outage_of_latchkey(app: tuple[httpx.Client, Server]) -> None:
    browser, server = app
    sign_in(browser)
    server.kill()
    for path in ("refresh", "logout"):
        answer = browser.post(f"/api/browser/{path}/")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "refresh" in browser.cookies
    server.restart()
    assert browser.post("/api/browser/refresh/").status_code == 200


@pytest.mark.recipes
def test_own_back_end_serves_the_typescript_client_as_a_browser_session_does(
    tmp_path: Path, launch: Launch, npm_folder: Path, chromium: Browser
) -> None:
    server, port = launch(LATCHKEY_TRUSTED_PROXIES="1"), free_port()
    (code,) = code_blocks(GUIDE, "python")
    (tmp_path / "auth.py").write_text(code)
    dist = npm_folder / "node_modules" / "latchkey-client" / "dist"
    (tmp_path / "app.py").write_text(
        f'{APP}from fastapi.staticfiles import StaticFiles\napp.mount("/", StaticFiles(directory={str(dist)!r}))\n'
    )
    origin = f"http://localhost:{port}"
    with run_program(uvicorn(port), tmp_path, port, LATCHKEY_URL=server.url, APP_ORIGIN=origin):
        tab = chromium.new_page()
        tab.goto(f"{origin}/index.js")
        load = """async () => {
            const { createClient } = await import("/index.js");
            globalThis.client = createClient({ url: location.origin, browserSession: true });
            return (await client.load()).status;
        }"""
        assert tab.evaluate(load) == "signed-out"
        account = {"email": "alice@example.com", "password": "correct horse battery staple"}
        assert "id" in tab.evaluate("account => client.signUp(account)", account)
        assert tab.evaluate("account => client.signIn(account)", account) == {"status": "signed-in"}
        tab.reload()
        assert tab.evaluate(load) == "signed-in"
        tab.evaluate("client.signOut()")
        tab.reload()
        assert tab.evaluate(load) == "signed-out"
        assert tab.context.cookies() == []
