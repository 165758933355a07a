"""Races of DELETE /api/me/: it succeeds once, and one superuser is left."""

from dataclasses import replace

import pytest

from tests.fixtures.races import OpenRace
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.support.simultaneous import Action, login_action

pytestmark = pytest.mark.race
ROUNDS = 50


def delete_action(person: Person) -> Action:
    body = {"password": person.password}
    return lambda: person.http.request("DELETE", "/api/me/", json=body, headers=person.bearer())


def test_parallel_deletions_of_one_account_succeed_once(race: OpenRace) -> None:
    with race("leave x8") as on:
        for number in range(ROUNDS):
            alice = on.person(f"alice.leaves.{number}").register().login()
            answers = [outcome.answer for outcome in on.start(*map(delete_action, on.copies(alice, 8)))]
            assert sorted(answer.status_code for answer in answers) == [204] + [401] * 7
            assert on.operator("sessions", alice.id) == []


def test_parallel_deletions_by_the_last_two_superusers_leave_one(race: OpenRace) -> None:
    with race("superusers leave x2") as on:
        for number in range(ROUNDS):
            pair = on.clients[0], on.clients[1 + number % (len(on.clients) - 1)]  # some pairs are at two workers
            people = [replace(on.person(f"boss.{number}.{id(http)}"), http=http).register().login() for http in pair]
            on.operator("make_superusers", *(person.id for person in people))
            answers = [outcome.answer for outcome in on.start(*map(delete_action, people))]
            assert sorted(answer.status_code for answer in answers) == [204, 403]
            (stays,) = [person for person, answer in zip(people, answers, strict=True) if answer.status_code == 403]
            assert_problem(delete_action(stays)(), 403, "last_superuser")


def test_login_during_account_deletion_leaves_no_session(race: OpenRace) -> None:
    with race("sign in x4 against leaving") as on:
        for number in range(ROUNDS):
            alice = on.person(f"alice.signs.in.{number}").register().login()
            *signed_in, left = on.start(
                *map(login_action, on.copies(alice, 4)), then=delete_action(alice), after=number % 4
            )
            assert left.answer.status_code == 204
            for outcome in signed_in:
                assert outcome.answer.status_code in (200, 401)
                if outcome.answer.status_code == 200:
                    assert alice.me(outcome.answer.json()["access_token"]).status_code == 401
            assert on.operator("sessions", alice.id) == []
            assert login_action(replace(alice, password=PASSWORD))().status_code == 401
