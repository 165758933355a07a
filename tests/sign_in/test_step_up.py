"""Step-up: authenticate again within a session, and the levels that the verify endpoint asks for (RFC 9470)."""

from typing import Any

import httpx
import jwt
import pytest
import time_machine

from latchkey.applications.models import ClientCredential, hash_secret
from latchkey.tokens.authentication_methods import LEVELS
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.second_factors import EnrolledPerson, enrol


def step_up(person: Person, **answer: str) -> httpx.Response:
    return person.http.post("/api/step-up/", json=answer, headers=person.bearer())


def verify(person: Person, query: str) -> httpx.Response:
    return person.http.get(f"/api/verify/{query}", headers=person.bearer())


def renew(person: Person) -> Person:
    """Refresh, as access tokens live for 30 s."""
    return person.refresh()


def test_step_up_with_the_password_renews_the_time_of_authentication(
    clock: time_machine.Traveller, alice: Person
) -> None:
    alice.login()
    assert verify(alice, "?max_age=60").status_code == 204
    clock.shift(61)
    renew(alice)
    assert_problem(verify(alice, "?max_age=60"), 401, "insufficient_user_authentication")
    answer = step_up(alice, password=PASSWORD)
    assert list(answer.json()) == ["access_token"]
    alice.access_token = answer.json()["access_token"]
    assert verify(alice, "?max_age=60").status_code == 204


def test_tokens_say_when_the_password_was_given_once_it_was_given_again(
    clock: time_machine.Traveller, alice: Person
) -> None:
    """So that a service that validates tokens itself can ask for max_age, too (RFC 9470 section 4)."""
    assert not {"acr", "amr", "auth_time"} & set(payload(alice.login()))
    clock.shift(61)
    renew(alice)
    alice.access_token = step_up(alice, password=PASSWORD).json()["access_token"]
    proved = {"acr": "aal1", "amr": ["pwd"], "auth_time": payload(alice)["iat"]}
    assert payload(alice).items() >= proved.items()
    clock.shift(10)
    assert payload(renew(alice)).items() >= proved.items()


def payload(person: Person) -> dict[str, Any]:
    """Return the claims of the person's access token."""
    return dict(jwt.decode(person.access_token, options={"verify_signature": False}))


def test_verify_answers_what_it_asks_for_with_the_challenge_of_rfc_9470(alice: Person) -> None:
    alice.login()
    answer = verify(alice, "?acr=aal2&max_age=300")
    assert_problem(answer, 401, "insufficient_user_authentication")
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer error="insufficient_user_authentication", '
        'error_description="A different authentication level is required", acr_values="aal2", max_age="300"'
    )
    assert verify(alice, "?acr=aal1").status_code == 204


@pytest.mark.ledger("ASVS-10.3.4")
def test_verify_with_a_level_lets_a_second_factor_through_until_it_is_too_old(
    clock: time_machine.Traveller, alice: Person
) -> None:
    enrolled = enrol(alice.login())
    clock.shift(60)
    enrolled.sign_in()
    assert verify(alice, "?acr=aal2&max_age=60").status_code == 204
    assert_problem(verify(alice, "?acr=phr"), 401, "insufficient_user_authentication")
    clock.shift(61)
    renew(alice)
    assert verify(alice, "?acr=aal2").status_code == 204
    assert_problem(verify(alice, "?acr=aal2&max_age=60"), 401, "insufficient_user_authentication")
    alice.access_token = step_up(alice, code=enrolled.app.code()).json()["access_token"]
    assert verify(alice, "?acr=aal2&max_age=60").status_code == 204


@pytest.mark.parametrize(
    "query", ["?acr=aal3", "?acr=", "?max_age=-1", "?max_age=1.5", "?arc=aal2", "?acr=aal2&acr=aal1", "?max_age=", "?x"]
)
def test_verify_refuses_a_query_that_it_does_not_know(alice: Person, query: str) -> None:
    assert_problem(verify(alice.login(), query), 400, "invalid")


@pytest.mark.parametrize("query", ["?max_age=60&acr=aal1", "?acr=aal1&max_age=60", "?max_age=60", "?acr=aal1"])
def test_verify_takes_its_parameters_in_any_order(alice: Person, query: str) -> None:
    assert verify(alice.login(), query).status_code == 204


def test_step_up_of_an_account_with_a_second_factor_takes_no_password(alice: Person) -> None:
    enrol(alice.login())
    answer = step_up(alice, password=PASSWORD)
    assert_problem(answer, 403, "step_up_required")
    problem = answer.json()
    assert (problem["factors"], problem["max_age"]) == (["recovery_code", "totp"], 600)


def test_step_up_with_a_wrong_password_or_code_returns_400_and_the_session_goes_on(alice: Person) -> None:
    alice.login()
    assert_problem(step_up(alice, password="not the password"), 400, "wrong_password")
    enrolled = enrol(alice)
    assert_problem(step_up(alice, code="000000"), 400, "invalid_code")
    assert_problem(step_up(alice, recovery_code="ABCDE-FGHJK"), 400, "invalid_code")
    assert alice.me().status_code == 200
    assert step_up(alice, recovery_code=enrolled.recovery_codes[0]).status_code == 200


@pytest.mark.ledger("ASVS-6.5.1")
def test_code_that_signed_in_cannot_step_up(clock: time_machine.Traveller, alice: Person) -> None:
    enrolled: EnrolledPerson = enrol(alice.login()).sign_in()
    assert_problem(step_up(alice, code=enrolled.app.code()), 400, "invalid_code")


def test_step_up_guesses_are_limited_as_at_sign_in(alice: Person) -> None:
    enrolled = enrol(alice.login())
    statuses = [step_up(alice, code="000000").status_code for _ in range(6)]
    assert statuses == [400] * 5 + [429]
    assert_problem(enrolled.try_second_factor(enrolled.ticket(), code=enrolled.app.code()), 429, "too_many_attempts")


def test_step_up_needs_an_access_token(http: httpx.Client) -> None:
    assert_problem(http.post("/api/step-up/", json={"password": PASSWORD}), 401, "not_authenticated")


def test_introspection_and_the_list_of_devices_show_what_was_proved(
    clock: time_machine.Traveller, alice: Person
) -> None:
    enrolled = enrol(alice.login())
    clock.shift(60)
    enrolled.sign_in()
    (device,) = [each for each in alice.http.get("/api/sessions/", headers=alice.bearer()).json() if each["current"]]
    assert (device["amr"], device["acr"]) == (["mfa", "otp", "pwd"], "aal2")
    ClientCredential.objects.create(client_id="payments", digest=hash_secret("a secret"))
    for token in (alice.access_token, alice.refresh_token):
        told = alice.http.post("/api/introspect/", data={"token": token}, auth=("payments", "a secret")).json()
        assert (told["amr"], told["acr"]) == (["mfa", "otp", "pwd"], "aal2")
        assert told["auth_time"] == told["iat"]


def test_verify_takes_each_level_of_the_list(alice: Person) -> None:
    alice.login()
    statuses = {level: verify(alice, f"?acr={level}").status_code for level in LEVELS}
    assert statuses == {"aal1": 204, "aal2": 401, "phr": 401}
