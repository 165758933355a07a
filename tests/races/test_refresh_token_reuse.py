"""Races of refresh token reuse with refreshes of the current token: the session ends in either order."""

from functools import partial

import pytest

from tests.fixtures.races import OpenRace

pytestmark = pytest.mark.race
ROUNDS = 200


@pytest.mark.ledger("H-RACE-08")
def test_refresh_token_reuse_ends_the_session_during_parallel_refreshes(race: OpenRace) -> None:
    with race("refresh token reuse x3 against refresh x3") as on:
        alice = on.person("alice.reuse").register()
        for number in range(ROUNDS):
            stolen = alice.login().refresh_token
            alice.refresh().refresh()
            tabs = on.copies(alice, 6)
            reuses = [partial(tab.try_refresh, stolen) for tab in tabs[:3]]
            refreshes = [tab.try_refresh for tab in tabs[3:]]
            first, second = (reuses, refreshes) if number % 2 else (refreshes, reuses)
            outcomes = on.start(*first, *second[1:], then=second[0], after=number % 4)
            assert {outcome.answer.status_code for outcome in outcomes} <= {200, 401}
            pairs = [outcome.answer.json() for outcome in outcomes if outcome.answer.status_code == 200]
            children = {pair["refresh_token"] for pair in pairs}
            on.forks += len(children) > 1
            assert on.operator("sessions", alice.id) == []
            for token in (alice.refresh_token, stolen, *children):
                assert alice.try_refresh(token).status_code == 401
            for access_token in (alice.access_token, *(pair["access_token"] for pair in pairs)):
                assert alice.me(access_token).status_code == 401
        assert on.answers["refresh 401"] > 3 * ROUNDS, "no reuse ever came before a refresh"
        assert on.answers["refresh 200"], "no refresh ever came before a reuse"
