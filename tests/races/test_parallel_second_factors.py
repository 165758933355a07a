"""A hundred parallel uses of one code, one ticket or one answer of a passkey: one session, and nothing else is used up.

Each account has ten tickets at most, and each ticket five uses, so most requests of a round are refused before anything
is compared; the tests of the use cases have fifty comparisons at once.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import httpx
import pytest

from latchkey.tokens.authentication_methods import Proof
from tests.fixtures.races import OpenRace, open_clients
from tests.passkeys.requests import add, begin
from tests.people import Person, try_login
from tests.second_factors import EnrolledPerson, enrol, try_second_factor
from tests.support.simultaneous import Action, Race
from tests.support.software_authenticator import SoftwareAuthenticator

USES = 100
TICKETS = 10
ORIGIN = "http://localhost:8000"

rounds_of = pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.race)])


@pytest.fixture
def hundred(race: OpenRace) -> Iterator[Race]:
    """A race with a hundred connections, whose requests may wait for each other for longer than those of others."""
    with race(f"second factor x{USES}") as on, open_clients(on.server.url, USES) as clients:
        on.clients, on.max_response_seconds = clients, 8.0
        yield on


def new_person(on: Race, name: str) -> EnrolledPerson:
    """Return a new account with an authenticator app and recovery codes, and its first session."""
    return enrol(on.person(name).register().login())


def outcomes(on: Race, acts: Sequence[Action]) -> Counter[str]:
    """Run the acts at once; count the answers by the code of their problem, and successes as 'done'."""
    answers: list[httpx.Response] = [outcome.answer for outcome in on.start(*acts)]
    return Counter("done" if answer.is_success else answer.json()["code"] for answer in answers)


def assert_one_session(on: Race, person: Person, before: int, done: Counter[str], refusals: set[str]) -> None:
    assert done["done"] == 1, done
    assert set(done) <= {"done", "too_many_attempts", *refusals}, done
    assert len(on.operator("sessions", person.id)) == before + 1


def spread(on: Race, tickets: Sequence[str], *answers: dict[str, Any]) -> list[Action]:
    """Return a hundred second steps on a hundred connections, which take turns in tickets and answers."""
    return [
        partial(try_second_factor, client, tickets[number % len(tickets)], **answers[number % len(answers)])
        for number, client in enumerate(on.clients)
    ]


@rounds_of
@pytest.mark.ledger("ASVS-6.5.1")
def test_hundred_sign_ins_with_one_code_and_ten_tickets_open_one_session(hundred: Race, rounds: int) -> None:
    for number in range(rounds):
        enrolled = new_person(hundred, f"code.{rounds}.{number}")
        tickets, code = [enrolled.ticket() for _ in range(TICKETS)], {"code": enrolled.app.code()}
        done = outcomes(hundred, spread(hundred, tickets, code))
        assert_one_session(hundred, enrolled.person, 1, done, {"invalid_code", "invalid_ticket"})
        assert enrolled.try_second_factor(enrolled.ticket(), **code).status_code in (400, 429)


@rounds_of
def test_keycloak_26106_hundred_sign_ins_with_one_recovery_code_open_one_session(hundred: Race, rounds: int) -> None:
    for number in range(rounds):
        enrolled = new_person(hundred, f"recovery.{rounds}.{number}")
        tickets, code = [enrolled.ticket() for _ in range(TICKETS)], {"recovery_code": enrolled.recovery_codes[0]}
        done = outcomes(hundred, spread(hundred, tickets, code))
        assert_one_session(hundred, enrolled.person, 1, done, {"invalid_code", "invalid_ticket"})
        assert hundred.operator("recovery_codes", enrolled.person.id) == len(enrolled.recovery_codes) - 1


@rounds_of
def test_artifact_keeper_1822_hundred_uses_of_one_ticket_with_valid_factors_open_one_session(
    hundred: Race, rounds: int
) -> None:
    for number in range(rounds):
        enrolled = new_person(hundred, f"ticket.{rounds}.{number}")
        valid = [{"code": enrolled.app.code()}, *({"recovery_code": code} for code in enrolled.recovery_codes)]
        done = outcomes(hundred, spread(hundred, [enrolled.ticket()], *valid))
        assert_one_session(hundred, enrolled.person, 1, done, {"invalid_code", "invalid_ticket"})
        left = hundred.operator("recovery_codes", enrolled.person.id)
        spent = any(proof & Proof.RECOVERY_CODE for proof in hundred.operator("proofs", enrolled.person.id))
        assert left == len(enrolled.recovery_codes) - spent, "a code was used up without its session"


@rounds_of
def test_one_code_at_sign_in_and_step_up_at_once_is_accepted_once(hundred: Race, rounds: int) -> None:
    for number in range(rounds):
        enrolled = new_person(hundred, f"step.up.{rounds}.{number}")
        tickets, code = [enrolled.ticket() for _ in range(TICKETS)], {"code": enrolled.app.code()}
        sign_ins = spread(hundred, tickets, code)[: USES // 2]
        bearer = enrolled.person.bearer()
        step_ups = [
            partial(client.post, "/api/step-up/", json=code, headers=bearer) for client in hundred.clients[USES // 2 :]
        ]
        done = outcomes(hundred, [act for pair in zip(sign_ins, step_ups, strict=True) for act in pair])
        assert done["done"] == 1, done
        assert set(done) <= {"done", "invalid_code", "invalid_ticket", "too_many_attempts"}, done


def begin_passkey_sign_in(person: Person, phone: SoftwareAuthenticator) -> tuple[str, dict[str, Any]]:
    begun = begin(person.http)
    return "/api/login/passkey/", {"ticket": begun["ticket"], "passkey": phone.get(begun["options"])}


def begin_passkey_second_factor(person: Person, phone: SoftwareAuthenticator) -> tuple[str, dict[str, Any]]:
    ticket = try_login(person.http, person.email).json()["ticket"]
    options = person.http.post("/api/login/second-factor/passkey/", json={"ticket": ticket}).json()["options"]
    return "/api/login/second-factor/", {"ticket": ticket, "passkey": phone.get(options)}


@rounds_of
@pytest.mark.parametrize("counter_step", [0, 1], ids=["synchronized", "security key"])
@pytest.mark.parametrize("begin_ceremony", [begin_passkey_sign_in, begin_passkey_second_factor])
def test_posthog_43625_hundred_uses_of_one_passkey_challenge_open_one_session(
    hundred: Race,
    rounds: int,
    counter_step: int,
    begin_ceremony: Callable[[Person, SoftwareAuthenticator], tuple[str, dict[str, Any]]],
) -> None:
    for number in range(rounds):
        phone = SoftwareAuthenticator(ORIGIN, counter_step=counter_step)
        name = f"{begin_ceremony.__name__}.{rounds}.{counter_step}.{number}"
        person = hundred.person(name).register().login()
        add(person, phone)
        path, body = begin_ceremony(person, phone)
        done = outcomes(hundred, [partial(client.post, path, json=body) for client in hundred.clients])
        assert_one_session(hundred, person, 1, done, {"invalid_passkey", "invalid_ticket"})


@rounds_of
def test_sign_ins_step_ups_and_changes_of_factors_at_once_end_without_a_deadlock(hundred: Race, rounds: int) -> None:
    """The race itself asserts that there is no 5xx: a deadlock is one."""
    for number in range(rounds):
        enrolled = new_person(hundred, f"mixed.{rounds}.{number}")
        person, bearer = enrolled.person, enrolled.person.bearer()
        phone = SoftwareAuthenticator(ORIGIN)
        add(person, phone)
        person.http.post("/api/password/reset/", json={"email": person.email})
        mailed = {"token": hundred.operator("mail_to", person.email)["token"], "new_password": "a new long password"}
        passkey = begin_passkey_sign_in(person, phone)[1]
        tickets = [enrolled.ticket() for _ in range(TICKETS - 2)]
        password, codes = {"email": person.email, "password": person.password}, enrolled.recovery_codes
        second = [{"ticket": ticket, "recovery_code": codes[at % 4]} for at, ticket in enumerate(tickets)]
        second += [{"ticket": ticket, "code": enrolled.app.code()} for ticket in tickets]
        requests: list[tuple[str, str, dict[str, Any]]] = [
            *(("POST", "/api/login/second-factor/", body) for body in second),
            *[("POST", "/api/login/", password)] * 8,
            *(("POST", "/api/step-up/", {"recovery_code": code}) for code in codes[4:8]),
            ("POST", "/api/login/passkey/", passkey),
            ("POST", "/api/me/recovery-codes/", {}),
            ("POST", "/api/me/passkeys/options/", {}),
            ("DELETE", "/api/me/totp/", {}),
            ("POST", "/api/password/reset/confirm/", mailed),
        ]
        acts = [
            partial(client.request, method, path, json=body, headers=bearer)
            for client, (method, path, body) in zip(hundred.clients, requests, strict=False)
        ]
        start = number % len(acts)
        done = outcomes(hundred, [*acts[start:], *acts[:start]])
        assert done["done"] >= 1, done
        counted, held = hundred.operator("factors", person.id)
        assert counted == held, "second_factors is not the number of factors"
