"""Parallel password guesses (brute force): as many passwords are checked as in sequence."""

from collections import Counter
from functools import partial

import pytest

from tests.fixtures.races import OpenRace
from tests.people import PASSWORD, try_login

pytestmark = pytest.mark.race
FREE = 10


@pytest.mark.ledger("REG-KEYCLOAK-08", "REG-ALLAUTH-14", "H-RATE-05")
def test_login_checks_ten_of_a_hundred_parallel_password_guesses(race: OpenRace) -> None:
    with race("100 guesses at one account") as on:
        for number in range(5):
            email = f"guessed.{number}@example.com"  # without account, which has the same counter
            answers = [
                outcome.answer.status_code
                for _ in range(10)
                for outcome in on.start(*(partial(try_login, client, email, "wrong") for client in on.clients[:10]))
            ]
            assert Counter(answers) == {401: FREE, 429: 100 - FREE}


@pytest.mark.ledger("H-RACE-12")
def test_successful_logins_between_parallel_guesses_lose_no_failure_count(race: OpenRace) -> None:
    """Each success from a known device resets the counter; at most ten failures may follow the last one."""
    with race("guesses against a right password") as on:
        for number in range(10):
            person = on.person(f"right.{number}").register().login()
            acts = [partial(try_login, client, person.email, "wrong") for client in on.clients[:9]]
            for _ in range(4):
                on.start(*acts, then=partial(try_login, on.clients[9], person.email, PASSWORD), after=number % 9)
            statuses = [try_login(on.clients[0], person.email, "wrong").status_code for _ in range(FREE + 1)]
            assert statuses[-1] == 429
            assert statuses == sorted(statuses)
