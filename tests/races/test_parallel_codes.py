"""Parallel use of one mailed link or code: exactly one request succeeds."""

from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from tests.fixtures.races import OpenRace, open_clients
from tests.people import PASSWORD, Person, try_login
from tests.support.simultaneous import Race

pytestmark = pytest.mark.race
ROUNDS, USES, TYPED = 20, 20, 8


@pytest.fixture
def twenty(race: OpenRace) -> Iterator[Race]:
    """A race with twenty connections."""
    with race("one link, and its code, x20") as on, open_clients(on.server.url, USES) as clients:
        on.clients = clients
        yield on


def code_or_token(on: Race, person: Person, email: str = "") -> list[dict[str, str]]:
    """Return the request fields of twenty users of one mail: its token, or address and code."""
    mail = on.operator("mail_to", email or person.email)
    typed = {"email": person.email, "code": mail["code"]}
    return [typed] * TYPED + [{"token": mail["token"]}] * (USES - TYPED)


def winner(answers: list[httpx.Response]) -> int:
    """Return the index of the only successful answer; all others are refused or rate limited."""
    (at,) = (number for number, answer in enumerate(answers) if answer.status_code == 200)
    refused = {(answer.status_code, answer.json()["code"]) for answer in answers if answer is not answers[at]}
    assert (400, "invalid_code") in refused
    assert refused <= {(400, "invalid_code"), (429, "too_many_attempts")}
    return at


@pytest.mark.ledger("H-RACE-10", "ASVS-6.5.1", "REG-KEYCLOAK-17")
def test_parallel_password_resets_with_one_mail_succeed_once(twenty: Race) -> None:
    while (
        twenty.rounds < ROUNDS or twenty.overlapping <= ROUNDS // 2
    ):  # on a busy machine some requests of a round start too late
        assert twenty.rounds < 4 * ROUNDS
        alice = twenty.person(f"reset.{twenty.rounds}").register().login()
        assert alice.http.post("/api/password/reset/", json={"email": alice.email}).status_code == 202
        acts = [
            partial(client.post, "/api/password/reset/confirm/", json={**each, "new_password": f"{PASSWORD} {at}"})
            for at, (client, each) in enumerate(zip(twenty.clients, code_or_token(twenty, alice), strict=True))
        ]
        won = winner([outcome.answer for outcome in twenty.start(*acts)])
        assert try_login(alice.http, alice.email, f"{PASSWORD} {won}").status_code == 200
        assert alice.try_refresh().status_code == 401


@pytest.mark.ledger("H-RACE-10")
def test_parallel_email_verifications_with_one_mail_succeed_once(twenty: Race) -> None:
    for number in range(ROUNDS):
        alice = twenty.person(f"verify.{number}").register()
        alice.http.post("/api/email/verify/resend/", json={"email": alice.email})
        acts = [
            partial(client.post, "/api/email/verify/", json=each)
            for client, each in zip(twenty.clients, code_or_token(twenty, alice), strict=True)
        ]
        winner([outcome.answer for outcome in twenty.start(*acts)])


@pytest.mark.ledger("H-RACE-10")
def test_parallel_email_changes_to_one_address_succeed_once(twenty: Race) -> None:
    for number in range(3):
        people = [twenty.person(f"wants.{number}.{each}").register().login() for each in range(3)]
        tokens = []
        for person in people:
            body = {"email": f"wanted.{number}@example.com", "password": PASSWORD}
            assert person.http.post("/api/email/change/", json=body, headers=person.bearer()).status_code == 202
            tokens.append(twenty.operator("mail_to", body["email"])["token"])
        acts = [
            partial(client.post, "/api/email/change/confirm/", json={"token": tokens[at % len(tokens)]})
            for at, client in enumerate(twenty.clients)
        ]
        answers = [outcome.answer for outcome in twenty.start(*acts)]
        results = [(answer.status_code, answer.json().get("code")) for answer in answers]
        assert results.count((200, None)) == 1
        assert set(results) <= {(200, None), (400, "invalid_code"), (400, "email_taken"), (429, "too_many_attempts")}
        assert twenty.operator("users", f"wanted.{number}@example.com") == 1


@pytest.mark.ledger("H-RACE-05")
@pytest.mark.parametrize("operation", ["change", "reset"])
def test_refreshes_during_a_password_change_or_reset_leave_no_valid_token(twenty: Race, operation: str) -> None:
    for number in range(ROUNDS):
        alice = twenty.person(f"{operation}.refresh.{number}").register().login()
        others = [Person(client, alice.email).login() for client in twenty.clients[1:9]]
        new = f"{PASSWORD} anew"
        if operation == "change":
            body = {"current_password": PASSWORD, "new_password": new}
            last = partial(alice.http.post, "/api/password/change/", json=body, headers=alice.bearer())
        else:
            alice.http.post("/api/password/reset/", json={"email": alice.email})
            body = {"token": code_or_token(twenty, alice)[-1]["token"], "new_password": new}
            last = partial(alice.http.post, "/api/password/reset/confirm/", json=body)
        outcomes = twenty.start(*[other.try_refresh for other in others], then=last, after=number % len(others))
        assert outcomes[-1].answer.status_code == 200
        for other, outcome in zip(others, outcomes, strict=False):
            kept = [
                other.refresh_token,
                *([outcome.answer.json()["refresh_token"]] if outcome.answer.is_success else []),
            ]
            assert [other.try_refresh(token).status_code for token in kept] == [401] * len(kept)
