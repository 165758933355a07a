"""A new secret key on several nodes, one after the other, as docs/operations.md has it: nobody notices."""

from typing import Any

from django.conf import settings
from django.test import override_settings

from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import Person
from tests.support.admin_pages import USERS, Browser, sign_in

NEW = "the-secret-key-that-the-operator-has-just-made-0123456789-abcdefghij"


def node(key: str, *fallbacks: str) -> Any:
    """Be the node that has these keys."""
    return override_settings(SECRET_KEY=key, SECRET_KEY_FALLBACKS=list(fallbacks))


def test_nobody_is_signed_out_by_a_node_that_has_not_changed_its_key_yet(alice: Person) -> None:
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


def test_a_node_that_does_not_know_the_new_key_refuses_its_tokens(alice: Person) -> None:
    old = settings.SECRET_KEY
    with node(NEW, old):
        alice.refresh()
    with node(old):
        assert alice.me().status_code == 401
    with node(old, NEW):
        assert alice.me().status_code == 200


def test_operators_stay_signed_in_while_the_old_key_is_a_fallback(admin: Browser) -> None:
    old, late = settings.SECRET_KEY, sign_in(SUPERUSER_EMAIL)
    with node(NEW, old):
        assert admin.get(USERS).status_code == 200
    with node(NEW):
        assert admin.get(USERS).status_code == 200  # that request brought the cookie over to the new key
        assert late.get(USERS).status_code == 302
