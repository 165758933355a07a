"""POST /api/password/change/"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.sessions.models import Session
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem
from tests.support.endpoints import nothing_changes

NEW = "seven purple trains to the sea"


def change_password(person: Person, current: Any = PASSWORD, new: Any = NEW) -> httpx.Response:
    body = {"current_password": current, "new_password": new}
    return person.http.post("/api/password/change/", json=body, headers=person.bearer())


@pytest.mark.ledger("ASVS-6.2.2")
def test_password_change_makes_login_accept_only_the_new_password(alice: Person) -> None:
    assert change_password(alice).status_code == 200
    assert_problem(try_login(alice.http), 401, "invalid_credentials")
    assert try_login(alice.http, password=NEW).status_code == 200


@pytest.mark.ledger("ASVS-7.4.3")
def test_password_change_ends_all_sessions_and_returns_a_new_token_pair(alice: Person) -> None:
    elsewhere = replace(alice).login()
    answer = change_password(alice)
    assert list(answer.json()) == ["access_token", "refresh_token"]
    assert answer.headers["Cache-Control"] == "no-store"
    for ended in (alice, elsewhere):
        assert_problem(ended.me(), 401, "invalid_token")
        assert_problem(ended.try_refresh(), 401, "invalid_refresh_token")
    here = replace(alice, **answer.json(), password=NEW)
    assert here.me().json()["id"] == alice.id
    assert here.refresh().me().status_code == 200
    assert Session.objects.filter(user=alice.id).count() == 1


@pytest.mark.ledger("ASVS-6.2.3")
def test_password_change_with_a_wrong_current_password_changes_nothing(alice: Person) -> None:
    with nothing_changes():
        answer = change_password(alice, current="not the password")
    assert_problem(answer, 400, "wrong_password", ["current_password"])
    assert alice.me().status_code == 200
    assert AuditEvent.objects.filter(name="password.refused", user_id=alice.id).count() == 1


@pytest.mark.ledger("ASVS-6.2.3")
def test_password_change_rate_limits_guesses_together_with_login(
    alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(failures_per_account=3)
    for _ in range(3):
        assert_problem(change_password(alice, current="a guess"), 400, "wrong_password")
    assert_problem(change_password(alice), 429, "too_many_attempts")
    assert_problem(try_login(alice.http), 429, "too_many_attempts")
    assert alice.me().status_code == 200


def test_password_change_with_the_right_password_counts_no_failure(
    alice: Person, from_address: Any, set_policy: Callable[..., None]
) -> None:
    set_policy(failures_per_account=1, failures_per_address=1)
    elsewhere = replace(alice, http=from_address("192.0.2.9"))
    first = change_password(elsewhere)
    assert first.status_code == 200
    assert change_password(replace(elsewhere, **first.json()), current=NEW, new=PASSWORD).status_code == 200


@pytest.mark.ledger("ASVS-6.2.3")
@pytest.mark.parametrize("missing", ["current_password", "new_password"])
@pytest.mark.parametrize("value", [None, "", 7, ["x"]])
def test_password_change_requires_both_passwords(alice: Person, missing: str, value: Any) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW, missing: value}
    answer = alice.http.post("/api/password/change/", json=body, headers=alice.bearer())
    assert_problem(answer, 400, "invalid", [missing])
    del body[missing]
    answer = alice.http.post("/api/password/change/", json=body, headers=alice.bearer())
    assert_problem(answer, 400, "invalid", [missing])


@pytest.mark.parametrize(
    ("weak", "code"),
    [
        ("short", "password_too_short"),
        ("x" * 257, "password_too_long"),
        ("password", "password_too_common"),
        ("alice@example.com", "password_too_obvious"),
    ],
)
def test_password_change_refuses_weak_passwords_like_register(
    alice: Person, set_policy: Callable[..., None], weak: str, code: str
) -> None:
    set_policy(password_blocklist=True)
    with nothing_changes():
        assert_problem(change_password(alice, new=weak), 400, code, ["new_password"])
    assert change_password(alice).status_code == 200


def test_password_change_requires_an_access_token(alice: Person) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert_problem(alice.http.post("/api/password/change/", json=body), 401, "not_authenticated")


def test_password_change_refuses_an_imported_account_without_a_password(alice: Person) -> None:
    User.objects.filter(pk=alice.id).update(password="!")
    assert_problem(change_password(alice, current="!"), 400, "wrong_password", ["current_password"])


def test_password_change_without_a_signing_key_gets_503_and_changes_nothing(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from latchkey.core.exceptions import ServiceUnavailable
    from latchkey.passwords import change as module

    def no_key(now: Any) -> None:
        raise ServiceUnavailable

    monkeypatch.setattr(module, "signing_key", no_key)
    with nothing_changes():
        assert_problem(change_password(alice), 503, "unavailable")
