"""Isolation of endpoints and users: rate limits are per endpoint, and records of others are out of reach."""

from collections.abc import Callable

import httpx
import pytest

from latchkey.sessions.models import Session
from tests.people import Person
from tests.problems import assert_problem
from tests.support.admin_pages import SESSIONS, SETTINGS, USERS, Browser, user_page
from tests.support.endpoints import nothing_changes

FOREIGN_FIELDS = {"id": 1, "email": "mallory@example.com", "is_staff": True, "is_superuser": True, "is_active": False}
FOREIGN_FIELDS |= {"password": "mallory's password", "credential_version": 9, "user_id": 1, "created_at": "2000-01-01"}


def exhaust_rate_limit(guess: Callable[[], httpx.Response]) -> None:
    """Send guesses until one is rate limited."""
    answer = next(answer for answer in (guess() for _ in range(100)) if answer.status_code != 401)
    assert_problem(answer, 429, "too_many_attempts")


@pytest.mark.ledger("REG-DJRESTAUTH-01")
def test_logout_ends_every_token_of_the_session(alice: Person) -> None:
    kept, spent = alice.refresh_token, alice.refresh().refresh_token
    assert alice.logout().status_code == 200
    for token in (spent, kept):
        assert_problem(alice.try_refresh(token), 401, "invalid_refresh_token")
    assert_problem(alice.me(), 401, "invalid_token")


@pytest.mark.ledger("REG-DJRESTAUTH-01")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_me_ignores_every_field_but_the_display_name(alice: Person, method: str) -> None:
    with nothing_changes():
        answer = alice.http.request(method, "/api/me/", json=FOREIGN_FIELDS | {"username": ""}, headers=alice.bearer())
    assert answer.json() == {"id": alice.id, "username": "", "email": alice.email}
    assert alice.login().me().status_code == 200


@pytest.mark.ledger("REG-DJRESTAUTH-01")
def test_rate_limit_of_one_endpoint_does_not_limit_the_others(alice: Person) -> None:
    wrong = {"email": "nobody@example.com", "password": "a wrong one"}
    exhaust_rate_limit(lambda: alice.http.post("/api/login/", json=wrong))
    assert alice.refresh().me().status_code == 200
    bob = Person(alice.http, "bob@example.com").register()
    assert bob.login().logout().status_code == 200
    exhaust_rate_limit(lambda: alice.try_refresh("2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42"))
    assert alice.login().refresh().logout().status_code == 200


@pytest.mark.ledger("RFC9110-15.5.4")
def test_forbidden_admin_pages_get_403_and_records_of_other_users_404(
    alice: Person, bob: Person, staff: Callable[..., Browser]
) -> None:
    clerk = staff()
    assert clerk.get("/admin/").status_code == 200
    for page in (USERS, SESSIONS, SETTINGS, user_page(alice.id)):
        answer = clerk.get(page)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied"), page
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (
            alice.http.get(page, headers=alice.bearer()).status_code == 302
        )  # the admin does not accept access tokens
    assert_problem(alice.http.get(f"/api/me/{bob.id}/", headers=alice.bearer()), 404, "not_found")
    assert_problem(alice.http.get(f"/api/users/{bob.id}/", headers=alice.bearer()), 403, "insufficient_scope")
    his = Session.objects.get(user=bob.id).pk
    assert_problem(alice.http.delete(f"/api/sessions/{his}/", headers=alice.bearer()), 404, "not_found")
    assert bob.me().status_code == 200
