"""The fast path of the hot endpoints answers as Django REST Framework does, byte for byte (docs/decisions/0008)."""

import io
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latchkey.sessions.fast_path import parse_refresh
from latchkey.sessions.serializers import RefreshInput
from latchkey.sign_in.fast_path import parse_login
from latchkey.sign_in.serializers import LoginInput
from tests.fixtures.database import DatabaseDown
from tests.hypothesis_profiles import NO_DEADLINE
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
    "an address in another case with spaces": lambda alice: {
        "json": {"email": " Alice@EXAMPLE.com\t", "password": alice.password}
    },
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
def test_refresh_answers_alike_on_the_fast_path_and_through_django(
    alice: Person, case: Callable[[Person], RequestArguments], slash: str
) -> None:
    asked = case(alice)  # the first request spends the token, the second retries it
    fast, django = on_both_paths(alice, "POST", f"/api/refresh{slash}", asked)
    assert fast == django


@pytest.mark.parametrize("slash", ["/", ""])
@pytest.mark.parametrize("case", CREDENTIALS.values(), ids=CREDENTIALS)
def test_login_answers_alike_on_the_fast_path_and_through_django(
    alice: Person, case: Callable[[Person], RequestArguments], slash: str
) -> None:
    fast, django = on_both_paths(alice, "POST", f"/api/login{slash}", case(alice))
    assert fast == django


@pytest.mark.parametrize("slash", ["/", ""])
@pytest.mark.parametrize("case", READS.values(), ids=READS)
def test_me_answers_alike_on_the_fast_path_and_through_django(
    alice: Person, case: Callable[[Person], RequestArguments], slash: str
) -> None:
    alice.http.patch("/api/me/", json={"username": 'Zoë \u2028 "\\'}, headers=alice.bearer())
    fast, django = on_both_paths(alice, "GET", f"/api/me{slash}", case(alice))
    assert fast == django


def test_ended_session_is_refused_alike_on_the_fast_path_and_through_django(alice: Person) -> None:
    token, bearer = alice.refresh_token, alice.bearer()
    alice.logout()
    for method, path, asked in (
        ("POST", "/api/refresh/", {"json": {"refresh_token": token}}),
        ("GET", "/api/me/", {"headers": bearer}),
    ):
        fast, django = on_both_paths(alice, method, path, asked)
        assert fast == django
        assert fast[0] == 401


CALLS: dict[str, Callable[[Person], tuple[str, str, RequestArguments]]] = {
    "login": lambda alice: ("POST", "/api/login/", {"json": {"email": alice.email, "password": alice.password}}),
    "refresh": lambda alice: ("POST", "/api/refresh/", {"json": {"refresh_token": alice.refresh_token}}),
    "me": lambda alice: ("GET", "/api/me/", {"headers": alice.bearer()}),
    "verify": lambda alice: ("GET", "/api/verify/", {"headers": alice.bearer()}),
}


def without_request_id(response: list[Any]) -> list[Any]:
    """Return a normalized response without its X-Request-ID, which it must have."""
    status, headers, body = response
    assert headers.pop("x-request-id")
    return [status, headers, body]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_unhandled_exception_is_answered_alike_on_the_fast_path_and_through_django(
    alice: Person, settings: Any, call: Callable[[Person], tuple[str, str, RequestArguments]]
) -> None:
    arguments = call(alice)
    settings.SECRET_KEY = 1  # no key can be derived from a number
    fast, through_django = map(without_request_id, on_both_paths(alice, *arguments))
    assert fast == through_django
    assert fast[0] == 500


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_database_outage_is_answered_alike_on_the_fast_path_and_through_django(
    alice: Person, database_down: DatabaseDown, call: Callable[[Person], tuple[str, str, RequestArguments]]
) -> None:
    arguments = call(alice)
    with database_down():
        fast, through_django = map(without_request_id, on_both_paths(alice, *arguments))
    assert fast == through_django
    assert fast[0] == 503


def environ_of(body: bytes) -> dict[str, Any]:
    return {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}


TEXT = st.text(max_size=300) | st.sampled_from(
    ["alice@example.com", " Alice@EXAMPLE.com ", "\u00a0a@b.c\u2003", "a\u200b", "a\0b", "\ud800"]
)
UUIDS = st.uuids().map(str) | st.uuids().map(lambda uuid: str(uuid).upper()) | st.text(max_size=40)


@settings(NO_DEADLINE)
@given(email=TEXT, password=TEXT)
def test_login_input_accepts_what_the_fast_path_parses_with_the_same_values(email: str, password: str) -> None:
    parsed = parse_login(environ_of(json.dumps({"email": email, "password": password}).encode()))
    if parsed is not None:
        serializer = LoginInput(data={"email": email, "password": password})
        assert serializer.is_valid(), serializer.errors
        assert (serializer.validated_data["email"], serializer.validated_data["password"]) == parsed


@settings(NO_DEADLINE)
@given(token=UUIDS)
def test_refresh_input_accepts_what_the_fast_path_parses_with_the_same_value(token: str) -> None:
    parsed = parse_refresh(environ_of(json.dumps({"refresh_token": token}).encode()))
    if parsed is not None:
        serializer = RefreshInput(data={"refresh_token": token})
        assert serializer.is_valid(), serializer.errors
        assert serializer.validated_data["refresh_token"] == UUID(parsed[0])


def test_fast_path_parses_the_documented_requests() -> None:
    body = json.dumps({"email": " Alice@example.com", "password": " pass word "}).encode()
    assert parse_login(environ_of(body)) == ("Alice@example.com", " pass word ")
    token = "8f14e45f-ceea-467f-a8f0-3f6d0b1a2c3d"
    assert parse_refresh(environ_of(json.dumps({"refresh_token": token}).encode())) == (token, "")
