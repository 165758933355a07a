"""Parallel registrations of one e-mail address in several spellings: one account."""

from functools import partial

import pytest

from tests.fixtures.races import OpenRace
from tests.people import PASSWORD

pytestmark = pytest.mark.race
ROUNDS = 200
SPELLINGS = ("{}@example.com", "{}@EXAMPLE.com", " {}@example.com", "{}@Example.Com  ", "\t{}@example.com")


@pytest.mark.ledger("H-RACE-02", "ASVS-2.3.4")
def test_parallel_registrations_of_one_address_create_one_account(race: OpenRace) -> None:
    with race("registration x10 of one address") as on:
        for number in range(ROUNDS):
            names = (f"alice.{number}", f"Alice.{number}")
            spelled = [spelling.format(name) for name in names for spelling in SPELLINGS]
            acts = [
                partial(client.post, "/api/register/", json={"email": email, "password": PASSWORD})
                for client, email in zip(on.clients, spelled, strict=False)
            ]
            answers = [outcome.answer for outcome in on.start(*acts)]
            (made,) = (answer.json() for answer in answers if answer.status_code == 201)
            assert made["email"] == f"alice.{number}@example.com"
            refused = [answer for answer in answers if answer.status_code != 201]
            assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(400, "email_taken")}
            assert on.operator("users", made["email"]) == 1
        assert on.answers == {"register 201": ROUNDS, "register 400": 9 * ROUNDS}
