"""The short way of the hot endpoints gives what the long way gives, byte for byte (docs/decisions/0008)."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.people import Person
from tests.support.simultaneous import decode_claims

FAST_ACCEPT, DJANGO_ACCEPT = "*/*", "application/json, text/html;q=0.1"
"""What a program sends, and what has to be weighed: both mean JSON."""

RequestArguments = dict[str, Any]

REFRESHES: dict[str, Callable[[Person], RequestArguments]] = {
    "a token within the retry window": lambda alice: {"json": {"refresh_token": alice.refresh_token}},
    "an unknown token": lambda alice: {"json": {"refresh_token": "8f14e45f-ceea-467f-a8f0-3f6d0b1a2c3d"}},
    "a key more": lambda alice: {"json": {"refresh_token": alice.refresh_token, "more": 1}},
    "no token": lambda alice: {"json": {}},
    "a number": lambda alice: {"json": {"refresh_token": 1}},
    "another form": lambda alice: {"json": {"refresh_token": alice.refresh_token.replace("-", "")}},
    "a key twice": lambda alice: {"content": b'{"refresh_token": "x", "refresh_token": "y"}'},
    "no JSON": lambda alice: {"content": b"{"},
    "no object": lambda alice: {"content": b"[]"},
    "no UTF-8": lambda alice: {"content": b'{"refresh_token": "\xff"}'},
    "nothing": lambda alice: {"content": b""},
    "too much": lambda alice: {"content": b'{"x": "' + b"x" * 70_000 + b'"}'},
    "a form": lambda alice: {"data": {"refresh_token": alice.refresh_token}, "headers": {}},
    "a compressed body": lambda alice: {"json": {}, "headers": {"Content-Encoding": "gzip"}},
    "another host": lambda alice: {
        "json": {"refresh_token": alice.refresh_token},
        "headers": {"Host": "evil.example.com"},
    },
    "another origin": lambda alice: {
        "json": {"refresh_token": alice.refresh_token},
        "headers": {"Origin": "https://evil.example.com"},
    },
}
CREDENTIALS: dict[str, Callable[[Person], RequestArguments]] = {
    "right": lambda alice: {"json": {"email": alice.email, "password": alice.password}},
    "another spelling": lambda alice: {"json": {"email": " Alice@EXAMPLE.com\t", "password": alice.password}},
    "a wrong password": lambda alice: {"json": {"email": alice.email, "password": "wrong"}},
    "a wrong address": lambda alice: {"json": {"email": "nobody", "password": alice.password}},
    "no address": lambda alice: {"json": {"email": "  ", "password": alice.password}},
    "no password": lambda alice: {"json": {"email": alice.email, "password": ""}},
    "blanks": lambda alice: {"json": {"email": alice.email, "password": "   "}},
    "a NUL": lambda alice: {"json": {"email": alice.email, "password": "a\0b"}},
    "a surrogate": lambda alice: {"content": b'{"email": "a@example.com", "password": "\\ud800"}'},
    "numbers": lambda alice: {"json": {"email": 1, "password": 2}},
    "an address that is too long": lambda alice: {"json": {"email": f"{'a' * 250}@example.com", "password": "x"}},
    "a password that is too long": lambda alice: {"json": {"email": alice.email, "password": "x" * 257}},
}
READS: dict[str, Callable[[Person], RequestArguments]] = {
    "a token": lambda alice: {"headers": alice.bearer()},
    "lower case": lambda alice: {"headers": {"Authorization": f"bearer {alice.access_token}"}},
    "no token": lambda alice: {},
    "another scheme": lambda alice: {"headers": {"Authorization": "Basic YWxpY2U6c2VjcmV0"}},
    "a broken token": lambda alice: {"headers": alice.bearer("x.y.z")},
    "another host": lambda alice: {"headers": alice.bearer() | {"Host": "evil.example.com"}},
}


def normalize(answer: httpx.Response, path: str) -> Any:
    """Return an answer as it must be either way; two tokens differ in their id, their second and their session."""
    body: Any = answer.json()
    if "access_token" in body:
        claims = decode_claims(body["access_token"])
        body |= {"access_token": {**claims, "jti": None, "iat": None, "exp": claims["exp"] - claims["iat"]}}
        if "login" in path:
            body["access_token"]["sid"] = body["refresh_token"] = None
    headers = dict(answer.headers) | ({"content-length": None} if "refresh_token" in body else {})
    return answer.status_code, headers, list(body.items())


def on_both_paths(alice: Person, method: str, path: str, asked: RequestArguments) -> list[Any]:
    kind = {"Content-Type": "application/json"} if "content" in asked else {}
    headers = kind | asked.get("headers", {})
    rest = {key: value for key, value in asked.items() if key != "headers"}
    return [
        normalize(alice.http.request(method, path, headers=headers | {"Accept": accept}, **rest), path)
        for accept in (FAST_ACCEPT, DJANGO_ACCEPT)
    ]


@pytest.mark.parametrize("slash", ["/", ""])
@pytest.mark.parametrize("case", REFRESHES.values(), ids=REFRESHES)
def test_refresh_answers_alike_both_ways(alice: Person, case: Callable[[Person], RequestArguments], slash: str) -> None:
    asked = case(alice)  # the first request spends the token, the second retries it
    short, long = on_both_paths(alice, "POST", f"/api/refresh{slash}", asked)
    assert short == long


@pytest.mark.parametrize("slash", ["/", ""])
@pytest.mark.parametrize("case", CREDENTIALS.values(), ids=CREDENTIALS)
def test_login_answers_alike_both_ways(alice: Person, case: Callable[[Person], RequestArguments], slash: str) -> None:
    short, long = on_both_paths(alice, "POST", f"/api/login{slash}", case(alice))
    assert short == long


@pytest.mark.parametrize("slash", ["/", ""])
@pytest.mark.parametrize("case", READS.values(), ids=READS)
def test_me_answers_alike_both_ways(alice: Person, case: Callable[[Person], RequestArguments], slash: str) -> None:
    alice.http.patch("/api/me/", json={"username": 'Zoë \u2028 "\\'}, headers=alice.bearer())
    short, long = on_both_paths(alice, "GET", f"/api/me{slash}", case(alice))
    assert short == long


def test_an_ended_session_is_refused_alike_both_ways(alice: Person) -> None:
    token, bearer = alice.refresh_token, alice.bearer()
    alice.logout()
    for method, path, asked in (
        ("POST", "/api/refresh/", {"json": {"refresh_token": token}}),
        ("GET", "/api/me/", {"headers": bearer}),
    ):
        short, long = on_both_paths(alice, method, path, asked)
        assert short == long
        assert short[0] == 401
