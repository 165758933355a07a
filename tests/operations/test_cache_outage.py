"""Outage of a configured cache server: API, admin and rate limits work without it."""

from typing import Any

import httpx
import pytest
from django.core.cache import cache

from tests.people import PASSWORD, Person
from tests.support.admin_pages import SETTINGS, USERS, save_settings, sign_in


@pytest.fixture
def cache_down(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "tests.operations.unreachable_cache.UnreachableCache"}}
    with pytest.raises(ConnectionError):
        cache.get("anything")


@pytest.mark.ledger("H-INF-07")
def test_api_works_while_the_cache_server_is_down(cache_down: None, http: httpx.Client) -> None:
    alice = Person(http, "alice@example.com").register().login()
    assert alice.refresh().refresh().me().status_code == 200
    assert alice.try_refresh(alice.spent[1]).json()["refresh_token"] == alice.refresh_token
    assert alice.try_refresh(alice.spent[0]).status_code == 401
    assert alice.me().status_code == 401
    assert alice.login().logout().status_code == 200


@pytest.mark.ledger("H-INF-07")
def test_login_rate_limit_holds_while_the_cache_server_is_down(cache_down: None, alice: Person) -> None:
    answers = [
        alice.http.post("/api/login/", json={"email": alice.email, "password": f"wrong {number}"}).status_code
        for number in range(120)
    ]
    assert set(answers) == {401, 429}
    assert answers == sorted(answers)
    assert alice.me().status_code == 200


@pytest.mark.ledger("H-INF-07")
def test_admin_works_while_the_cache_server_is_down(
    cache_down: None, http: httpx.Client, django_user_model: Any
) -> None:
    django_user_model.objects.create_superuser("boss@example.com", PASSWORD)
    admin = sign_in("boss@example.com")
    save_settings(admin, SESSIONS_PER_USER="9")
    assert [admin.get(page).status_code for page in (USERS, SETTINGS)] == [200, 200]
