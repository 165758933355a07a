"""Races of refresh with everything that ends a session: once that has returned, no token of the session is valid."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.fixtures.races import OpenRace
from tests.people import PASSWORD, Person
from tests.support.simultaneous import Race, session_id_from

pytestmark = pytest.mark.race
ROUNDS = 200
TABS = 4
APPLICATION_KEYS: dict[str, str] = {}
"""A key of an application by the name of the race."""


def log_out(on: Race, alice: Person) -> Callable[[], object]:
    tab = on.copies(alice, TABS + 1)[-1]
    return tab.logout


def end_from_the_list(on: Race, alice: Person) -> Callable[[], object]:
    """End the session by its id in the session list, with its own token."""
    tab = on.copies(alice, TABS + 1)[-1]
    address = f"/api/sessions/{session_id_from(alice.access_token)}/"
    return lambda: tab.http.delete(address, headers=tab.bearer())


def end_from_another_device(on: Race, alice: Person) -> Callable[[], object]:
    """End all other sessions from another device, whose session stays."""
    device = replace(alice, http=on.clients[TABS + 1]).login()
    return lambda: device.http.delete("/api/sessions/", headers=device.bearer())


def end_by_an_application(on: Race, alice: Person) -> Callable[[], object]:
    """End the session by its id over the API for back ends."""
    return request_of_an_application(on, f"{alice.id}/sessions/{session_id_from(alice.access_token)}/")


def end_all_by_an_application(on: Race, alice: Person) -> Callable[[], object]:
    """End all sessions over the API for back ends."""
    return request_of_an_application(on, f"{alice.id}/sessions/")


def request_of_an_application(on: Race, path: str) -> Callable[[], object]:
    if not on.rounds:
        APPLICATION_KEYS[on.name] = on.operator("application_key", f"crm-{len(APPLICATION_KEYS)}")
    headers = {"Authorization": f"Bearer {APPLICATION_KEYS[on.name]}"}
    return lambda: on.clients[TABS + 1].delete(f"/api/users/{path}", headers=headers)


def delete_account(on: Race, alice: Person) -> Callable[[], object]:
    """Delete the account with a token of the session."""
    tab, body = on.copies(alice, TABS + 1)[-1], {"password": alice.password}
    return lambda: tab.http.request("DELETE", "/api/me/", json=body, headers=tab.bearer())


def deactivate(on: Race, alice: Person) -> Callable[[], object]:
    return lambda: on.operator("deactivate", alice.id)


def delete(on: Race, alice: Person) -> Callable[[], object]:
    return lambda: on.operator("delete", alice.id)


def set_password(on: Race, alice: Person) -> Callable[[], object]:
    alice.password = f"{PASSWORD} {on.rounds}"
    on.operator("hash_password", alice.id, alice.password)  # hashed before, so that only the commit races
    return lambda: on.operator("save_password", alice.id)


def sign_out_everywhere(on: Race, alice: Person) -> Callable[[], object]:
    return lambda: on.operator("sign_out_everywhere", alice.id)


@pytest.mark.parametrize(
    "ending",
    [
        *(log_out, end_from_the_list, end_from_another_device, delete_account),
        *(end_by_an_application, end_all_by_an_application),
        *(deactivate, delete, set_password, sign_out_everywhere),
    ],
    ids=lambda ending: ending.__name__,
)
@pytest.mark.ledger("H-RACE-03", "H-RACE-04", "ASVS-15.4.2")
def test_refreshes_during_revocation_leave_no_valid_token(
    race: OpenRace, ending: Callable[[Race, Person], Callable[[], object]]
) -> None:
    with race(f"refresh x{TABS} against {ending.__name__}") as on:
        alice = on.person(f"alice.{ending.__name__}")
        for number in range(ROUNDS):
            if ending in (delete_account, delete) or number == 0:
                alice.register()
            alice.login()
            tabs = on.copies(alice, TABS)
            end = ending(on, alice)
            *refreshed, ended = on.start(*(tab.try_refresh for tab in tabs), then=end, after=number % TABS)
            answers = [outcome.answer for outcome in refreshed]
            assert {answer.status_code for answer in answers} <= {200, 401}
            assert all(each.answer.status_code == 401 for each in refreshed if each.began > ended.ended)
            pairs = [answer.json() for answer in answers if answer.status_code == 200]
            successors = {pair["refresh_token"] for pair in pairs}
            on.forks += len(successors) > 1

            if ending is deactivate and number % 2:  # reactivation must revive no session
                on.operator("reactivate", alice.id)
            for access_token in (alice.access_token, *(pair["access_token"] for pair in pairs)):
                assert alice.me(access_token).status_code == 401
            for refresh_token in (*successors, alice.refresh_token):
                assert alice.try_refresh(refresh_token).status_code == 401
            left = on.operator("sessions", alice.id)
            gone = ending in (log_out, end_from_the_list, end_by_an_application, delete_account, delete)
            assert len(left) <= (0 if gone else 1)  # the ended row until the next sign-in, or the other device
            if ending is deactivate and not number % 2:
                on.operator("reactivate", alice.id)
        assert {"refresh 200", "refresh 401"} <= set(on.answers), "the ending never came in between"
