"""Two hundred parallel requests of many users: no user gets the data of another."""

from dataclasses import replace

import httpx
import pytest

from tests.fixtures.races import OpenRace, open_clients
from tests.people import Person
from tests.support.simultaneous import Action, decode_claims, login_action, with_tokens

pytestmark = pytest.mark.race
ROUNDS = 40  # of 200 requests each
PEOPLE = 48
SIGN_INS = 8  # few, as hashing would leave little CPU time to the other requests


def rename(person: Person, username: str) -> Action:
    return lambda: person.http.patch("/api/me/", json={"username": username}, headers=person.bearer())


def test_parallel_requests_of_many_users_never_mix_their_data(race: OpenRace) -> None:
    with race("200 mixed requests of 48 people") as on, open_clients(on.server.url, 4 * PEOPLE + SIGN_INS) as clients:
        people = [on.person(f"person.{number}").register().login() for number in range(PEOPLE)]
        for number in range(ROUNDS):
            lines = iter(clients)
            turn = [people[(number * SIGN_INS + place) % PEOPLE] for place in range(SIGN_INS)]
            order = [*people, *people, *people, *people, *turn]
            own = [replace(person, http=next(lines)) for person in order]
            acts: list[Action] = []
            for place, person in enumerate(own):
                kinds = (person.me, rename(person, f"{person.email} {number}"), person.try_refresh, person.me)
                acts.append(kinds[place // PEOPLE] if place < 4 * PEOPLE else login_action(person))
            answers: list[httpx.Response] = [outcome.answer for outcome in on.start(*acts)]
            assert {answer.status_code for answer in answers} == {200}
            for person, answer in zip(order, answers, strict=True):
                body = answer.json()
                if "access_token" in body:
                    assert decode_claims(body["access_token"])["user_id"] == person.id
                else:
                    assert (body["id"], body["email"]) == (person.id, person.email)
                    assert body["username"] in ("", f"{person.email} {number - 1}", f"{person.email} {number}")
            people = [
                with_tokens(person, answer)
                for person, answer in zip(people, answers[2 * PEOPLE : 3 * PEOPLE], strict=True)
            ]
