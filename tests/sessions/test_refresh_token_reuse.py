"""Refresh token reuse: a retry within its window gets the same successor, any other reuse ends the session."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine

from latchkey.sessions.models import Session
from tests.people import Person
from tests.problems import assert_problem


def assert_ended(alice: Person) -> None:
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
    assert_problem(alice.me(), 401, "invalid_token")


def test_refresh_retry_changes_nothing_in_the_session_row(alice: Person) -> None:
    parent = alice.refresh_token
    alice.refresh()
    row = Session.objects.values().get()
    answer = alice.try_refresh(parent)
    assert answer.json()["refresh_token"] == alice.refresh_token
    assert answer.json()["access_token"] != alice.access_token
    assert Session.objects.values().get() == row


@pytest.mark.parametrize(("after", "status"), [(9.999999, 200), (10, 401)])
def test_retry_window_ends_after_exactly_10_seconds(
    clock: time_machine.Traveller, alice: Person, after: float, status: int
) -> None:
    parent = alice.refresh_token
    alice.refresh()
    clock.shift(timedelta(seconds=after))
    assert alice.try_refresh(parent).status_code == status
    assert alice.try_refresh().status_code == status


def test_retry_window_follows_the_policy_setting(
    clock: time_machine.Traveller, alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(retry_window=timedelta(seconds=60))
    parent = alice.refresh_token
    alice.refresh()
    clock.shift(timedelta(seconds=59))
    assert alice.try_refresh(parent).json()["refresh_token"] == alice.refresh_token
    set_policy(retry_window=timedelta(seconds=59))
    assert_problem(alice.try_refresh(parent), 401, "invalid_refresh_token")


def test_refresh_retries_do_not_extend_the_retry_window(clock: time_machine.Traveller, alice: Person) -> None:
    parent = alice.refresh_token
    alice.refresh()
    for _ in range(3):
        clock.shift(timedelta(seconds=3))
        assert alice.try_refresh(parent).status_code == 200
    clock.shift(timedelta(seconds=1))
    assert alice.try_refresh(parent).status_code == 401
    assert_ended(alice)


@pytest.mark.ledger("RFC9700-4.14-3", "RFC9700-2.2.2", "ASVS-10.4.5")
def test_refresh_token_reuse_ends_only_its_own_session(
    clock: time_machine.Traveller, alice: Person, bob: Person
) -> None:
    phone = Person(alice.http, alice.email).login()
    stolen = alice.refresh_token
    alice.refresh()
    clock.shift(timedelta(seconds=11))
    assert_problem(alice.try_refresh(stolen), 401, "invalid_refresh_token")
    assert_ended(alice)
    assert phone.me().status_code == phone.try_refresh().status_code == 200
    assert bob.me().status_code == bob.try_refresh().status_code == 200


def test_refresh_token_reuse_of_an_older_generation_ends_the_session(alice: Person) -> None:
    oldest = alice.refresh_token
    for _ in range(5):
        alice.refresh()
    assert_problem(alice.try_refresh(oldest), 401, "invalid_refresh_token")
    assert_ended(alice)


@pytest.mark.ledger("RFC9700-4.14-2")
@pytest.mark.parametrize("step", [1, -1, 1 << 61])
def test_refresh_with_a_guessed_verifier_ends_the_session(alice: Person, step: int) -> None:
    token = UUID(alice.refresh_token)
    assert_problem(alice.try_refresh(str(UUID(int=token.int ^ abs(step)))), 401, "invalid_refresh_token")
    assert_ended(alice)


@pytest.mark.parametrize("bit", [64, 80, 127])
def test_refresh_with_a_guessed_selector_is_refused_and_ends_nothing(alice: Person, bit: int) -> None:
    token = UUID(alice.refresh_token)
    assert_problem(alice.try_refresh(str(UUID(int=token.int ^ 1 << bit))), 401, "invalid_refresh_token")
    assert alice.me().status_code == alice.try_refresh().status_code == 200


def test_refresh_works_after_a_fail_over_that_lost_one_rotation(alice: Person) -> None:
    alice.refresh()
    row = Session.objects.values().get()
    alice.refresh()
    Session.objects.filter(pk=row["id"]).update(**row)
    newest = alice.refresh_token
    alice.refresh()
    assert alice.refresh_token != newest
    assert alice.try_refresh(newest).json()["refresh_token"] == alice.refresh_token
    assert alice.refresh().me().status_code == 200


def test_refresh_after_a_fail_over_that_lost_two_rotations_ends_the_session(alice: Person) -> None:
    row = Session.objects.values().get()
    alice.refresh().refresh()
    Session.objects.filter(pk=row["id"]).update(**row)
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
    assert_ended(alice)
