"""Secret key rotation: tokens of the old key work as long as it is a fallback."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import override_settings

from latchkey.sessions.models import Session
from tests.people import Person
from tests.problems import assert_problem

NEW = "the-secret-key-that-the-operator-has-just-made-0123456789-abcdefghij"


def with_new_secret_key(*fallbacks: str) -> Any:
    return override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=list(fallbacks))


@pytest.mark.ledger("H-INF-13", "ASVS-13.3.4", "ASVS-11.2.2")
def test_tokens_of_the_old_secret_key_work_while_it_is_a_fallback(alice: Person) -> None:
    with with_new_secret_key(settings.SECRET_KEY):
        assert alice.me().status_code == 200
        assert alice.refresh().me().status_code == 200
        assert alice.refresh().me().status_code == 200
    assert Session.objects.count() == 1


@pytest.mark.ledger("H-INF-13", "H-JWT-17", "ASVS-13.3.4")
def test_tokens_of_the_old_secret_key_are_refused_once_it_is_dropped(alice: Person, bob: Person) -> None:
    with with_new_secret_key(settings.SECRET_KEY):
        bob.refresh()
    with with_new_secret_key():
        assert_problem(alice.me(), 401, "invalid_token")
        assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
        assert bob.me().status_code == 200
        assert bob.refresh().me().status_code == 200


def test_refresh_retry_across_a_secret_key_change_returns_the_same_token(alice: Person) -> None:
    parent = alice.refresh_token
    alice.refresh()
    with with_new_secret_key(settings.SECRET_KEY):
        assert alice.try_refresh(parent).json()["refresh_token"] == alice.refresh_token
        parent = alice.refresh_token
        alice.refresh()
        assert alice.try_refresh(parent).json()["refresh_token"] == alice.refresh_token
        assert alice.refresh().me().status_code == 200


def test_refresh_token_reuse_across_a_secret_key_change_ends_the_session(
    clock: time_machine.Traveller, alice: Person
) -> None:
    stolen = alice.refresh_token
    alice.refresh()
    clock.shift(timedelta(seconds=11))
    with with_new_secret_key(settings.SECRET_KEY):
        assert_problem(alice.try_refresh(stolen), 401, "invalid_refresh_token")
        assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")


def test_refresh_after_a_fail_over_works_across_a_secret_key_change(alice: Person) -> None:
    row = Session.objects.values().get()
    alice.refresh()
    Session.objects.filter(pk=row["id"]).update(**row)
    with with_new_secret_key(settings.SECRET_KEY):
        assert alice.refresh().me().status_code == 200


def test_refresh_of_a_token_of_a_fallback_key_takes_one_statement_per_key(alice: Person, statements: Any) -> None:
    with with_new_secret_key(settings.SECRET_KEY):
        assert len(statements(alice.refresh)) == 2
        assert len(statements(alice.refresh)) == 1
