"""Races of refresh with the pruning of expired sessions, at the moment when the session expires."""

import pytest

from tests.fixtures.races import OpenRace
from tests.support.simultaneous import login_action, session_id_from

pytestmark = pytest.mark.race
ROUNDS = 200


@pytest.mark.ledger("H-RACE-09")
def test_refresh_of_an_expiring_session_during_prune_succeeds_or_gets_401(race: OpenRace) -> None:
    with race("refresh x4 against prune on an expiring row") as on:
        alice = on.person("alice.prune").register()
        for number in range(ROUNDS):
            alice.login()
            tabs = on.copies(alice, 5)
            by_sign_in = number % 4 == 3  # which prunes after its hashing; the operator prunes at once
            assert on.operator("let_expire", session_id_from(alice.access_token), number % 20 + 20 * by_sign_in) == 1
            if by_sign_in:
                *signed_in, refreshed = on.start(
                    *(login_action(tab) for tab in tabs[1:]), then=alice.try_refresh, after=1
                )
                assert {outcome.answer.status_code for outcome in signed_in} == {200}
                outcomes = [refreshed]
            else:
                refreshes = [tab.try_refresh for tab in tabs[:4]]
                *outcomes, _ = on.start(*refreshes, then=lambda: on.operator("prune"), after=number % 4)
            assert {outcome.answer.status_code for outcome in outcomes} <= {200, 401}
            successors = {each.answer.json()["refresh_token"] for each in outcomes if each.answer.status_code == 200}
            on.forks += len(successors) > 1
            if successors:
                on.lost += alice.try_refresh(successors.pop()).status_code != 200
            else:
                assert alice.try_refresh().status_code == 401
        assert {"refresh 200", "refresh 401"} <= set(on.answers), "no row ever expired in between"
