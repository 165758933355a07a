"""Browser sessions: the refresh token is in an HttpOnly cookie, and the access token alone in the body."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.conf.cookies import refresh_cookie_name
from latchkey.sessions.models import Session
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.second_factors import Authenticator, enrol
from tests.support.browser_endpoints import COOKIE, OWN_ORIGIN, post, set_cookie
from tests.support.simultaneous import decode_claims

SIGNED_IN = {"access_token", "expires_in"}
NEW = "another long password"


def sign_in(alice: Person) -> str:
    """Sign in, and return the refresh token in the cookie."""
    answer = post(alice.http, "login", email=alice.email, password=alice.password)
    assert answer.status_code == 200, answer.text
    return set_cookie(answer).value


def me(alice: Person, answer: httpx.Response) -> int:
    return alice.me(answer.json()["access_token"]).status_code


@pytest.mark.ledger("ASVS-3.3.1", "ASVS-3.3.2", "ASVS-3.3.4")
def test_login_sets_the_cookie_and_answers_no_refresh_token(alice: Person) -> None:
    answer = post(alice.http, "login", email=alice.email, password=alice.password)
    cookie, body = set_cookie(answer), answer.json()
    assert list(body) == ["access_token", "expires_in"]
    claims = decode_claims(body["access_token"])
    assert body["expires_in"] == claims["exp"] - claims["iat"] == 30
    assert cookie.key == COOKIE
    assert (cookie["path"], cookie["samesite"], cookie["max-age"]) == ("/", "Strict", str(30 * 86_400))
    assert cookie["httponly"] is True
    assert cookie["domain"] == cookie["secure"] == ""
    assert cookie.value not in answer.text
    assert me(alice, answer) == 200


def test_refresh_takes_the_cookie_and_rotates_it(alice: Person) -> None:
    token = sign_in(alice)
    answer = post(alice.http, "refresh", token)
    assert set(answer.json()) == SIGNED_IN
    assert set_cookie(answer).value not in ("", token)
    assert me(alice, answer) == 200
    assert post(alice.http, "refresh", set_cookie(answer).value).status_code == 200


def test_refresh_with_the_same_idempotency_key_answers_the_same_cookie_after_the_retry_window(
    alice: Person, clock: time_machine.Traveller
) -> None:
    key = {"Idempotency-Key": "b7d0c4c1-8c55-4f5c-9c1e-0a"}
    headers = {"Origin": OWN_ORIGIN, "Cookie": f"{COOKIE}={sign_in(alice)}", **key}
    first = alice.http.post("/api/browser/refresh/", json={}, headers=headers)
    clock.shift(3_600)
    again = alice.http.post("/api/browser/refresh/", json={}, headers=headers)
    assert set_cookie(again).value == set_cookie(first).value


def test_reuse_of_an_older_cookie_ends_the_session(alice: Person, clock: time_machine.Traveller) -> None:
    first = sign_in(alice)
    second = set_cookie(post(alice.http, "refresh", first)).value
    third = set_cookie(post(alice.http, "refresh", second)).value
    clock.shift(11)
    assert_problem(post(alice.http, "refresh", first), 401, "invalid_refresh_token")
    assert_problem(post(alice.http, "refresh", third), 401, "invalid_refresh_token")


@pytest.mark.parametrize("value", ["", "x", "8f14e45f-ceea-467f-a8f0-3f6d0b1a2c3d", '"quoted"'])
def test_refresh_without_a_valid_cookie_is_the_401_of_a_spent_token_and_deletes_nothing(
    http: httpx.Client, value: str
) -> None:
    answer = post(http, "refresh", value)
    assert_problem(answer, 401, "invalid_refresh_token")
    assert "set-cookie" not in answer.headers  # a late answer must not delete the cookie of a newer session


def test_logout_ends_the_session_and_deletes_the_cookie(alice: Person) -> None:
    token = sign_in(alice)
    refreshed = post(alice.http, "refresh", token)
    answer = post(alice.http, "logout", set_cookie(refreshed).value)
    assert answer.json() == {"success": "User logged out."}
    assert (set_cookie(answer).value, set_cookie(answer)["max-age"], set_cookie(answer)["path"]) == ("", "0", "/")
    assert me(alice, refreshed) == 401
    assert_problem(post(alice.http, "refresh", token), 401, "invalid_refresh_token")
    again = post(alice.http, "logout")
    assert (again.status_code, set_cookie(again).value) == (200, "")


@pytest.mark.ledger("ASVS-7.2.4")
def test_login_ends_the_session_of_the_cookie_that_it_replaces(alice: Person, bob: Person) -> None:
    token = sign_in(alice)
    answer = post(alice.http, "login", token, email=bob.email, password=bob.password)
    assert answer.status_code == 200
    assert_problem(post(alice.http, "refresh", token), 401, "invalid_refresh_token")
    assert post(alice.http, "refresh", set_cookie(answer).value).status_code == 200


def test_failed_login_leaves_the_session_of_the_cookie(alice: Person) -> None:
    token = sign_in(alice)
    assert_problem(post(alice.http, "login", token, email=alice.email, password="x"), 401, "invalid_credentials")
    assert post(alice.http, "refresh", token).status_code == 200


def test_second_factor_finishes_a_sign_in_of_a_browser(alice: Person) -> None:
    enrolled = enrol(alice)
    challenged = post(alice.http, "login", email=alice.email, password=alice.password)
    assert_problem(challenged, 403, "second_factor_required")
    assert "set-cookie" not in challenged.headers
    body = {"ticket": challenged.json()["ticket"], "recovery_code": enrolled.recovery_codes[0]}
    answer = post(alice.http, "second-factor", **body)
    assert set(answer.json()) == SIGNED_IN
    assert post(alice.http, "refresh", set_cookie(answer).value).status_code == 200


def test_enrolment_finishes_a_sign_in_of_a_browser(alice: Person, set_policy: Callable[..., None]) -> None:

    set_policy(second_factor="required")
    ticket = post(alice.http, "login", email=alice.email, password=alice.password).json()["ticket"]
    secret = alice.http.post("/api/login/enrolment/totp/", json={"ticket": ticket}).json()["secret"]
    answer = post(alice.http, "enrolment/totp", ticket=ticket, code=Authenticator(secret).code())
    assert set(answer.json()) == {*SIGNED_IN, "recovery_codes"}
    assert post(alice.http, "refresh", set_cookie(answer).value).status_code == 200


def test_password_change_replaces_the_cookie_and_ends_every_other_session(alice: Person) -> None:
    token = sign_in(alice)
    access_token = post(alice.http, "refresh", token).json()["access_token"]
    answer = alice.http.post(
        "/api/browser/password/change/",
        json={"current_password": PASSWORD, "new_password": NEW},
        headers={"Origin": OWN_ORIGIN, "Cookie": f"{COOKIE}={token}", **alice.bearer(access_token)},
    )
    assert set(answer.json()) == SIGNED_IN
    assert post(alice.http, "refresh", set_cookie(answer).value).status_code == 200
    assert alice.try_refresh().status_code == 401


def test_ticket_of_the_api_works_in_a_browser_and_the_sessions_are_of_one_table(alice: Person) -> None:
    before = Session.objects.count()
    sign_in(alice)
    assert Session.objects.count() == before + 1
    listed = alice.http.get("/api/sessions/", headers=alice.bearer()).json()
    assert len(listed) == before + 1


@pytest.mark.parametrize(
    ("production", "path", "name"),
    [
        (True, "", "__Host-latchkey-refresh"),
        (True, "/auth", "__Host-latchkey-refresh-auth"),
        (True, "/Team One/auth", "__Host-latchkey-refresh-team-one-auth"),
        (False, "", "latchkey-refresh"),
    ],
)
def test_cookie_name_has_the_host_prefix_in_production_and_the_public_path(
    production: bool, path: str, name: str
) -> None:
    assert refresh_cookie_name(production, path) == name


def test_production_cookie_is_secure(alice: Person, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE, settings.REFRESH_COOKIE_NAME = True, "__Host-latchkey-refresh"
    cookie = set_cookie(post(alice.http, "login", email=alice.email, password=alice.password))
    assert (cookie.key, cookie["secure"], cookie["path"], cookie["domain"]) == (
        "__Host-latchkey-refresh",
        True,
        "/",
        "",
    )
