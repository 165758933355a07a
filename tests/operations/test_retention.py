"""Retention of session rows as in docs/operations.md: sign-in, logout, `prune` and `clearsessions` delete them."""

from datetime import timedelta
from io import StringIO

import httpx
import pytest
import time_machine
from django.contrib.sessions.models import Session as Cookie
from django.core.management import call_command

from latchkey.sessions.models import Session
from tests.people import Person
from tests.support.admin_pages import USERS, Browser


def prune() -> None:
    call_command("prune", stdout=StringIO(), stderr=StringIO())


def rows_of(*people: Person) -> list[int]:
    return [Session.objects.filter(user=person.id).count() for person in people]


@pytest.mark.ledger("ASVS-14.2.7")
def test_login_deletes_only_the_expired_sessions_of_its_user(
    clock: time_machine.Traveller, alice: Person, bob: Person
) -> None:
    alice.login()
    clock.shift(timedelta(days=30) - timedelta(seconds=1))
    alice.login()
    assert rows_of(alice, bob) == [3, 1]
    clock.shift(timedelta(seconds=1))
    alice.login()
    assert rows_of(alice, bob) == [2, 1]
    assert alice.me().status_code == 200


@pytest.mark.ledger("ASVS-14.2.4", "ASVS-14.2.7")
def test_prune_deletes_the_expired_sessions_of_all_users_and_no_live_one(
    clock: time_machine.Traveller, alice: Person, bob: Person
) -> None:
    clock.shift(timedelta(days=29))
    bob.refresh()
    prune()
    assert rows_of(alice, bob) == [1, 1]
    clock.shift(timedelta(days=1))
    prune()
    assert rows_of(alice, bob) == [0, 1]
    assert bob.refresh().me().status_code == 200
    assert alice.login().me().status_code == 200


@pytest.mark.ledger("ASVS-14.2.4")
def test_logout_deletes_the_session_row(alice: Person, bob: Person) -> None:
    assert alice.logout().status_code == 200
    assert rows_of(alice, bob) == [0, 1]


def test_clearsessions_deletes_expired_admin_sessions(http: httpx.Client, admin: Browser) -> None:
    assert admin.get(USERS).status_code == 200
    call_command("clearsessions")
    assert Cookie.objects.count() == 1
    with time_machine.travel(Cookie.objects.get().expire_date + timedelta(seconds=1), tick=False):
        assert admin.get(USERS).status_code == 302
        call_command("clearsessions")
    assert Cookie.objects.count() == 0
