"""Concurrent writes to the rows of one user by API and admin actions: no deadlock."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.fixtures.races import OpenRace
from tests.people import Person
from tests.support.simultaneous import Race, login_action

pytestmark = pytest.mark.race
ROUNDS = 60
ADMIN_ACTIONS = ("deactivate", "sign_out_everywhere", "reactivate")


def rename(person: Person) -> Callable[[], object]:
    return lambda: person.http.patch("/api/me/", json={"username": "Alice"}, headers=person.bearer())


def run_admin_actions(on: Race, alice: Person) -> Callable[[], None]:
    """Return a callable that runs all admin actions on a user, each in its own transaction."""

    def act() -> None:
        for verb in ADMIN_ACTIONS:
            on.operator(verb, alice.id)

    return act


@pytest.mark.ledger("ASVS-15.4.3")
def test_concurrent_writes_to_the_rows_of_one_user_never_deadlock(race: OpenRace) -> None:
    with race("refresh, logout, sign-in, rename and an operator on one user") as on:
        alice = on.person("alice.at.once").register()
        for number in range(ROUNDS):
            phone = replace(alice, http=on.clients[0]).login()
            laptop = replace(alice, http=on.clients[0]).login()
            phones, laptops = on.copies(phone, 10)[:6], on.copies(laptop, 10)[6:]
            acts = [*(each.try_refresh for each in phones[:4]), phones[4].logout, rename(phones[5])]
            acts += [laptops[0].try_refresh, laptops[1].logout, login_action(laptops[2]), laptops[3].me]
            outcomes = on.start(*acts, then=run_admin_actions(on, alice), after=number % 8)
            assert {outcome.answer.status_code for outcome in outcomes if outcome.answer is not None} <= {200, 401}
            assert [phone.me().status_code, laptop.me().status_code] == [401, 401]
        assert {"refresh 200", "refresh 401", "login 200", "me 200"} <= set(on.answers)
