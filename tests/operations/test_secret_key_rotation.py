"""Secret key rotation node by node as in docs/operations.md, without signing users or operators out."""

from typing import Any

from django.conf import settings
from django.test import override_settings

from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import Person
from tests.support.admin_pages import USERS, Browser, sign_in

NEW = "the-secret-key-that-the-operator-has-just-made-0123456789-abcdefghij"


def node(key: str, *fallbacks: str) -> Any:
    """Act as a node with this secret key and these fallbacks."""
    return override_settings(SECRET_KEY=key, SECRET_KEY_FALLBACKS=list(fallbacks))


def test_secret_key_rotation_node_by_node_signs_no_user_out(alice: Person) -> None:
    old = settings.SECRET_KEY
    for _ in range(3):
        with node(NEW, old):
            alice.refresh()
            parent = alice.spent[-1]
            assert alice.me().status_code == 200
        with node(old, NEW):
            assert alice.me().status_code == 200
            assert alice.try_refresh(parent).json()["refresh_token"] == alice.refresh_token
            assert alice.refresh().me().status_code == 200


def test_node_without_the_new_secret_key_refuses_its_tokens(alice: Person) -> None:
    old = settings.SECRET_KEY
    with node(NEW, old):
        alice.refresh()
    with node(old):
        assert alice.me().status_code == 401
    with node(old, NEW):
        assert alice.me().status_code == 200


def test_admin_sessions_stay_valid_while_the_old_secret_key_is_a_fallback(admin: Browser) -> None:
    old, late = settings.SECRET_KEY, sign_in(SUPERUSER_EMAIL)
    with node(NEW, old):
        assert admin.get(USERS).status_code == 200
    with node(NEW):
        assert admin.get(USERS).status_code == 200  # the first request re-signed the cookie with the new key
        assert late.get(USERS).status_code == 302
