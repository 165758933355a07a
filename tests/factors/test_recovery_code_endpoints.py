"""POST /api/me/recovery-codes/, and sign-in with a recovery code."""

import httpx
import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.core import clock as clocks
from latchkey.factors import recovery_codes
from tests.factors.apps import App, add_app, request_ticket, sign_in, try_second_factor, wrong_code
from tests.people import Person
from tests.problems import assert_problem


@pytest.fixture
def alice(clock: time_machine.Traveller, http: httpx.Client) -> Person:
    """A person who has just signed in; the clock stands still."""
    return Person(http, "alice@example.com").register().login()


@pytest.fixture
def app(alice: Person) -> App:
    return add_app(alice)


def renew(person: Person) -> httpx.Response:
    return person.http.post("/api/me/recovery-codes/", headers=person.bearer())


def try_recovery_code(person: Person, code: str) -> httpx.Response:
    return try_second_factor(person.http, request_ticket(person), recovery_code=code)


@pytest.mark.ledger("ASVS-6.4.4")
def test_recovery_code_signs_in_once_in_place_of_the_app(alice: Person, app: App) -> None:
    assert try_recovery_code(alice, app.recovery_codes[0].lower().replace("-", "")).status_code == 200
    assert_problem(try_recovery_code(alice, app.recovery_codes[0]), 400, "invalid_code", ["recovery_code"])
    assert try_recovery_code(alice, app.recovery_codes[1]).status_code == 200
    assert recovery_codes.count(alice.id) == 8


def test_recovery_code_works_while_guesses_have_blocked_one_time_passwords_ayunis_940(alice: Person, app: App) -> None:
    for _ in range(5):
        try_second_factor(alice.http, request_ticket(alice), code=wrong_code(app.secret, clocks.now()))
    blocked = try_second_factor(alice.http, request_ticket(alice), code=app.next_code())
    assert_problem(blocked, 429, "too_many_attempts")
    assert try_recovery_code(alice, app.recovery_codes[0]).status_code == 200


def test_new_recovery_codes_replace_the_old_ones_and_end_other_sessions(alice: Person, app: App) -> None:
    phone = sign_in(Person(alice.http, alice.email, id=alice.id), app)
    answer = renew(alice)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    codes = answer.json()["recovery_codes"]
    assert len(codes) == 10
    assert not set(codes) & set(app.recovery_codes)
    assert phone.me().status_code == 401
    assert alice.me().status_code == 200
    assert_problem(try_recovery_code(alice, app.recovery_codes[0]), 400, "invalid_code", ["recovery_code"])
    assert try_recovery_code(alice, codes[0]).status_code == 200
    assert User.objects.get().second_factors == 1


def test_recovery_codes_need_a_second_factor(alice: Person) -> None:
    assert_problem(renew(alice), 400, "no_second_factor")
    assert recovery_codes.count(alice.id) == 0
