"""GET /api/config/: what a front end has to know before anybody signs in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from latchkey.conf import policy
from tests.fixtures.database import DatabaseDown
from tests.people import Person, try_register
from tests.problems import assert_problem

HTML = {"Accept": "text/html"}


def test_config_has_the_default_configuration(http: httpx.Client) -> None:
    answer = http.get("/api/config/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {
        "site_name": "Latchkey",
        "registration_open": True,
        "email_verification": "off",
        "sign_in_methods": ["password", "passkey"],
        "second_factor": "optional",
        "recovery_delay": 0,
        "password": {"min_length": 8, "max_length": 256, "blocklist": False},
        "tokens": {"access_token_lifetime": 30, "refresh_token_lifetime": 2_592_000, "retry_window": 10},
    }
    assert http.get("/api/config").content == answer.content


def test_config_has_the_settings_in_force(http: httpx.Client, set_policy: Callable[..., Any]) -> None:
    set_policy(
        site_name="Example",
        registration_open=False,
        email_verification="required",
        password_min_length=20,
        password_blocklist=True,
        access_token_lifetime=timedelta(minutes=5),
        retry_window=timedelta(0),
    )
    config = http.get("/api/config/").json()
    assert config["site_name"] == "Example"
    assert (config["registration_open"], config["email_verification"]) == (False, "required")
    assert config["password"] == {"min_length": 20, "max_length": 256, "blocklist": True}
    assert (config["tokens"]["access_token_lifetime"], config["tokens"]["retry_window"]) == (300, 0)


def test_config_may_be_cached_by_anybody_for_a_minute(http: httpx.Client) -> None:
    first = http.get("/api/config/")
    assert first.headers["Cache-Control"] == "public, max-age=60"
    assert "Set-Cookie" not in first.headers
    assert "Cookie" not in first.headers["Vary"]
    again = http.get("/api/config/", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (again.headers["ETag"], again.headers["Cache-Control"]) == (first.headers["ETag"], "public, max-age=60")
    assert "Content-Length" not in again.headers


def test_config_has_another_etag_after_a_setting_has_changed(
    http: httpx.Client, set_policy: Callable[..., Any]
) -> None:
    etag = http.get("/api/config/").headers["ETag"]
    set_policy(registration_open=False)
    changed = http.get("/api/config/", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


def test_config_answers_the_same_with_any_credential(alice: Person) -> None:
    expected = alice.http.get("/api/config/").content
    for headers in (alice.bearer(), alice.bearer("x.y.z"), {"Authorization": "Basic eDp5"}):
        assert alice.http.get("/api/config/", headers=headers).content == expected


def test_config_answers_while_the_database_is_down(http: httpx.Client, database_down: DatabaseDown) -> None:
    expected = http.get("/api/config/").content
    policy.clear_cache()
    with database_down():
        assert http.get("/api/config/").content == expected


def test_config_errors_and_its_browsable_page_are_never_cached(http: httpx.Client) -> None:
    assert_problem(http.post("/api/config/", json={}), 405, "method_not_allowed")
    assert_problem(http.get("/api/config/", headers={"Accept": "image/png"}), 406, "not_acceptable")
    page = http.get("/api/config/", headers=HTML)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    assert "ETag" not in page.headers


def test_other_endpoints_are_still_never_cached(alice: Person) -> None:
    for path in ("/api/", "/api/me/", "/api/sessions/"):
        assert alice.http.get(path, headers=alice.bearer()).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("minimum", [8, 15, 64])
def test_password_that_is_too_short_is_answered_with_the_number_of_characters_that_it_needs(
    http: httpx.Client, set_policy: Callable[..., Any], minimum: int
) -> None:
    set_policy(password_min_length=minimum)
    answer = try_register(http, password="x" * (minimum - 1))
    assert_problem(answer, 400, "password_too_short", ["password"])
    assert answer.json()["min_length"] == minimum == http.get("/api/config/").json()["password"]["min_length"]
    for sentence in (answer.json()["detail"], *answer.json()["errors"]["password"]):
        assert f"at least {minimum} characters" in sentence


def test_password_that_is_too_short_is_answered_alike_at_every_endpoint(
    alice: Person, set_policy: Callable[..., Any]
) -> None:
    set_policy(password_min_length=12)
    body = {"current_password": alice.password, "new_password": "short"}
    answer = alice.http.post("/api/password/change/", json=body, headers=alice.bearer())
    assert_problem(answer, 400, "password_too_short", ["new_password"])
    assert answer.json()["min_length"] == 12
