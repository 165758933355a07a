"""Races of login with the deletion of its user: the deletion succeeds and leaves no session."""

from functools import partial

import pytest

from tests.fixtures.races import OpenRace
from tests.support.simultaneous import login_action

pytestmark = pytest.mark.race
ROUNDS = 200
TABS = 4


def test_deletion_of_a_user_succeeds_during_parallel_logins(race: OpenRace) -> None:
    with race(f"sign-in x{TABS} against the deletion of the user") as on:
        for number in range(ROUNDS):
            alice = on.person("alice.deleted").register()
            tabs = on.copies(alice, TABS)
            delete = partial(on.operator, "delete", alice.id)
            *signed_in, _ = on.start(*(login_action(tab) for tab in tabs), then=delete, after=1 + number % (TABS - 1))
            answers = [outcome.answer for outcome in signed_in]
            assert {answer.status_code for answer in answers} <= {200, 401}
            assert on.operator("users", alice.email) == 0
            assert on.operator("sessions", alice.id) == []
            for answer in answers:
                if answer.status_code == 200:
                    assert alice.me(answer.json()["access_token"]).status_code == 401
        assert {"login 200", "login 401"} <= set(on.answers), "the deletion never came in between"
