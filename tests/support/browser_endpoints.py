"""Requests to the endpoints of browser sessions: with an Origin, and with the refresh token in a cookie."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import Morsel, SimpleCookie

import httpx

COOKIE = "latchkey-refresh"
OWN_ORIGIN = "http://127.0.0.1:8000"
ENDPOINTS = {
    "/api/login/": "/api/browser/login/",
    "/api/login/second-factor/": "/api/browser/second-factor/",
    "/api/login/passkey/": "/api/browser/passkey/",
    "/api/login/enrolment/totp/confirm/": "/api/browser/enrolment/totp/",
    "/api/login/enrolment/passkey/confirm/": "/api/browser/enrolment/passkey/",
    "/api/refresh/": "/api/browser/refresh/",
    "/api/logout/": "/api/browser/logout/",
    "/api/password/change/": "/api/browser/password/change/",
}
"""The endpoint of browsers for each endpoint of the API that answers or takes a refresh token."""


@contextmanager
def in_a_browser(http: httpx.Client) -> Iterator[None]:
    """Send the requests of a client to the endpoints of browsers instead, a refresh token in the cookie."""

    def redirect(request: httpx.Request) -> None:
        if path := ENDPOINTS.get(request.url.path):
            body = json.loads(request.content or b"{}")
            token = body.get("refresh_token") if isinstance(body, dict) else None
            request.url = request.url.copy_with(path=path)
            request.headers.update({"Origin": OWN_ORIGIN, **({"Cookie": f"{COOKIE}={token}"} if token else {})})

    http.event_hooks["request"].append(redirect)
    try:
        yield
    finally:
        http.event_hooks["request"].remove(redirect)


def post(http: httpx.Client, name: str, token: str = "", **body: object) -> httpx.Response:
    """Send a request as a page of our own origin does; token is what the browser's cookie has, and all it has."""
    http.cookies.clear()
    headers = {"Origin": OWN_ORIGIN, **({"Cookie": f"{COOKIE}={token}"} if token else {})}
    return http.post(f"/api/browser/{name}/", json=body, headers=headers)


def set_cookie(answer: httpx.Response) -> Morsel[str]:
    """Return the one cookie that an answer sets, with its attributes."""
    (header,) = answer.headers.get_list("set-cookie")
    (morsel,) = SimpleCookie(header).values()
    return morsel
