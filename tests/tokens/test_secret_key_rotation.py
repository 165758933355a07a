"""An operator changes the secret key: what was signed under the old one works until it is dropped."""

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
def test_tokens_of_the_old_key_work_while_it_is_a_fallback(alice: Person) -> None:
    with with_new_secret_key(settings.SECRET_KEY):
        assert alice.me().status_code == 200
        assert alice.refresh().me().status_code == 200
        assert alice.refresh().me().status_code == 200
    assert Session.objects.count() == 1


@pytest.mark.ledger("H-INF-13", "H-JWT-17", "ASVS-13.3.4")
def test_tokens_of_the_old_key_end_once_it_is_dropped(alice: Person, bob: Person) -> None:
    with with_new_secret_key(settings.SECRET_KEY):
        bob.refresh()
    with with_new_secret_key():
        assert_problem(alice.me(), 401, "invalid_token")
        assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
        assert bob.me().status_code == 200
        assert bob.refresh().me().status_code == 200


def test_a_retry_that_spans_the_change_is_told_the_same_token(alice: Person) -> None:
    parent = alice.refresh_token
    alice.refresh()
    with with_new_secret_key(settings.SECRET_KEY):
        assert alice.try_refresh(parent).json()["refresh_token"] == alice.refresh_token
        parent = alice.refresh_token
        alice.refresh()
        assert alice.try_refresh(parent).json()["refresh_token"] == alice.refresh_token
        assert alice.refresh().me().status_code == 200


def test_a_replay_is_seen_across_the_change(clock: time_machine.Traveller, alice: Person) -> None:
    stolen = alice.refresh_token
    alice.refresh()
    clock.shift(timedelta(seconds=11))
    with with_new_secret_key(settings.SECRET_KEY):
        assert_problem(alice.try_refresh(stolen), 401, "invalid_refresh_token")
        assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")


def test_a_fail_over_is_survived_across_the_change(alice: Person) -> None:
    row = Session.objects.values().get()
    alice.refresh()
    Session.objects.filter(pk=row["id"]).update(**row)
    with with_new_secret_key(settings.SECRET_KEY):
        assert alice.refresh().me().status_code == 200


def test_a_refresh_under_a_fallback_takes_a_statement_for_each_key(alice: Person, statements: Any) -> None:
    with with_new_secret_key(settings.SECRET_KEY):
        assert len(statements(alice.refresh)) == 2
        assert len(statements(alice.refresh)) == 1
