"""Parallel refreshes with one token: all get the same successor, and the session does not fork."""

import pytest

from tests.fixtures.races import OpenRace


@pytest.mark.parametrize("rounds", [20, pytest.param(200, marks=pytest.mark.race)])
@pytest.mark.ledger("H-RACE-01", "REG-KEYCLOAK-01")
def test_parallel_refreshes_of_one_token_get_one_successor(race: OpenRace, rounds: int) -> None:
    with race("refresh x8 with one token") as on:
        alice = on.person(f"alice.{rounds}").register()
        for _ in range(rounds):
            parent = alice.login().refresh_token
            outcomes = on.start(*(tab.try_refresh for tab in on.copies(alice, 8)))
            assert {outcome.answer.status_code for outcome in outcomes} == {200}
            successors = {outcome.answer.json()["refresh_token"] for outcome in outcomes}
            on.forks += len(successors) != 1 or parent in successors or len(on.operator("sessions", alice.id)) != 1
            assert {alice.me(outcome.answer.json()["access_token"]).status_code for outcome in outcomes} == {200}

            alice.refresh_token = successors.pop()
            alice.refresh()
            assert (
                alice.try_refresh(parent).status_code == 401
            )  # its grandchild is live, so this is refresh token reuse,
            assert alice.try_refresh().status_code == 401  # which ends the session
            assert on.operator("sessions", alice.id) == []
