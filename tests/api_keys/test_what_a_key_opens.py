"""Endpoints that take an API key, and all others, which refuse it."""

import httpx
import pytest

from latchkey.urls import API
from tests.api_keys.requests import create, create_application, create_of_application, use
from tests.people import Person
from tests.problems import assert_problem

PERSONS = [
    ("POST", "/api/step-up/"),
    ("PATCH", "/api/me/"),
    ("DELETE", "/api/me/"),
    ("GET", "/api/sessions/"),
    ("DELETE", "/api/sessions/"),
    ("DELETE", "/api/sessions/1/"),
    ("GET", "/api/me/email/"),
    ("GET", "/api/me/events/"),
    ("GET", "/api/me/export/"),
    ("GET", "/api/me/factors/"),
    ("POST", "/api/me/totp/"),
    ("DELETE", "/api/me/totp/"),
    ("POST", "/api/me/totp/confirm/"),
    ("POST", "/api/me/recovery-codes/"),
    ("GET", "/api/me/passkeys/"),
    ("POST", "/api/me/passkeys/"),
    ("POST", "/api/me/passkeys/options/"),
    ("PATCH", "/api/me/passkeys/1/"),
    ("DELETE", "/api/me/passkeys/1/"),
    ("GET", "/api/me/keys/"),
    ("POST", "/api/me/keys/"),
    ("DELETE", "/api/me/keys/abcdef/"),
    ("POST", "/api/password/change/"),
    ("POST", "/api/email/change/"),
]


@pytest.mark.parametrize(("method", "path"), PERSONS)
def test_no_key_changes_or_shows_what_is_for_signed_in_people(alice: Person, method: str, path: str) -> None:
    keys = [create(alice)["key"], create_of_application(create_application())]
    for key in keys:
        answer = alice.http.request(method, path, headers={"Authorization": f"Bearer {key}"})
        assert_problem(answer, 403, "permission_denied")


def test_every_endpoint_for_people_is_in_the_list() -> None:
    """A new endpoint below /api/me/ has to be tried with keys, too."""
    tried = {path.strip("/") for _, path in PERSONS}
    below = {route.replace("<passkey_id>", "1").replace("<key_id>", "abcdef") for route in API if "api/me" in route}
    assert below <= tried


def test_key_of_a_person_reads_the_account(alice: Person) -> None:
    key = create(alice)["key"]
    assert use(alice.http, key).json() == alice.me().json()


def test_key_of_an_application_is_nobody_at_me(http: httpx.Client) -> None:
    key = create_of_application(create_application())
    assert_problem(use(http, key), 403, "permission_denied")


def test_key_is_not_taken_from_a_query_or_a_cookie(alice: Person) -> None:
    """RFC 6750 section 2.3: URLs are logged."""
    key = create(alice)["key"]
    assert_problem(alice.http.get("/api/me/", params={"access_token": key}), 401, "not_authenticated")
    assert_problem(alice.http.get("/api/me/", headers={"Cookie": f"access_token={key}"}), 401, "not_authenticated")


def test_key_signs_in_and_refreshes_nothing(alice: Person) -> None:
    key = create(alice)["key"]
    answers = (
        alice.http.post("/api/refresh/", json={"refresh_token": key}),
        alice.http.post("/api/login/", json={"email": alice.email, "password": key}),
    )
    assert all(answer.status_code in (400, 401) for answer in answers)
    assert alice.http.post("/api/logout/", json={"refresh_token": key}).status_code in (204, 400)
    assert use(alice.http, key).status_code == 200
