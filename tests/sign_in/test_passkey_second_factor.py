"""A passkey as the second factor after a password, and for a step-up."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
import time_machine

from latchkey.audit.models import AuditEvent
from latchkey.passkeys.models import Passkey
from latchkey.sessions.models import Session
from tests.passkeys.requests import add, begin, try_options, try_sign_in
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem
from tests.support.software_authenticator import USER_PRESENT, USER_VERIFIED, SoftwareAuthenticator

SetPolicy = Callable[..., None]


@pytest.fixture
def key(alice: Person) -> SoftwareAuthenticator:
    """A security key without a PIN, with a passkey of Alice's."""
    authenticator = SoftwareAuthenticator(flags=USER_PRESENT, counter_step=1)
    add(alice, authenticator)
    return authenticator


def login_ticket(http: httpx.Client) -> str:
    answer = try_login(http, "alice@example.com", PASSWORD)
    assert answer.status_code == 403
    return str(answer.json()["ticket"])


def second_factor_options(http: httpx.Client, ticket: str) -> dict[str, Any]:
    answer = http.post("/api/login/second-factor/passkey/", json={"ticket": ticket})
    assert answer.status_code == 200, answer.text
    assert answer.json()["ticket"] == ticket
    options: dict[str, Any] = answer.json()["options"]
    return options


def try_second_factor(http: httpx.Client, ticket: str, passkey: dict[str, Any]) -> httpx.Response:
    return http.post("/api/login/second-factor/", json={"ticket": ticket, "passkey": passkey})


def details(name: str) -> list[str]:
    return list(AuditEvent.objects.filter(name=name).order_by("id").values_list("detail", flat=True))


def test_options_for_a_second_factor_name_the_passkeys_of_the_account(
    http: httpx.Client, key: SoftwareAuthenticator
) -> None:
    options = second_factor_options(http, login_ticket(http))
    assert len(options["allowCredentials"]) == 1
    assert options["userVerification"] == "preferred"


def test_password_and_passkey_open_a_session(http: httpx.Client, key: SoftwareAuthenticator) -> None:
    ticket = login_ticket(http)
    answer = try_second_factor(http, ticket, key.get(second_factor_options(http, ticket), user_handle=None))
    assert answer.status_code == 200, answer.text
    token = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert (token["acr"], token["amr"]) == ("aal2", ["mfa", "pop", "pwd"])


def test_posthog_43625_challenge_of_a_second_factor_is_compared_once(
    http: httpx.Client, key: SoftwareAuthenticator
) -> None:
    ticket = login_ticket(http)
    options = second_factor_options(http, ticket)
    wrong = try_second_factor(http, ticket, key.get(options, origin="https://evil.example"))
    assert_problem(wrong, 400, "invalid_passkey", ["passkey"])
    again = try_second_factor(http, ticket, key.get(options))
    assert_problem(again, 400, "invalid_passkey", ["passkey"])
    assert details("factor.refused") == ["passkey: wrong origin", "passkey: wrong challenge"]
    right = try_second_factor(http, ticket, key.get(second_factor_options(http, ticket)))
    assert right.status_code == 200


def test_ticket_without_options_accepts_no_passkey(http: httpx.Client, key: SoftwareAuthenticator) -> None:
    options = {**begin(http)["options"], "challenge": ""}
    answer = try_second_factor(http, login_ticket(http), key.get(options))
    assert_problem(answer, 400, "invalid_passkey", ["passkey"])


def test_passkey_of_another_account_is_no_second_factor(
    http: httpx.Client, bob: Person, key: SoftwareAuthenticator
) -> None:
    other = SoftwareAuthenticator()
    add(bob, other)
    ticket = login_ticket(http)
    options = {**second_factor_options(http, ticket), "allowCredentials": []}
    assert_problem(try_second_factor(http, ticket, other.get(options)), 400, "invalid_passkey", ["passkey"])
    assert details("factor.refused") == ["passkey: unknown passkey"]


def test_counter_that_goes_back_is_reported_at_a_second_factor(http: httpx.Client, key: SoftwareAuthenticator) -> None:
    ticket = login_ticket(http)
    answer = try_second_factor(http, ticket, key.get(second_factor_options(http, ticket), counter=1))
    assert_problem(answer, 400, "invalid_passkey", ["passkey"])
    assert details("passkey.suspicious") == ["counter went back"]


def test_pin_that_was_set_after_the_registration_counts_once_the_password_was_given_with_it(
    http: httpx.Client, key: SoftwareAuthenticator
) -> None:
    key.flags = USER_PRESENT | USER_VERIFIED
    assert_problem(try_sign_in(http, key), 400, "invalid_passkey")
    ticket = login_ticket(http)
    assert try_second_factor(http, ticket, key.get(second_factor_options(http, ticket))).status_code == 200
    assert Passkey.objects.get().user_verified
    assert try_sign_in(http, key).status_code == 200


def test_pin_that_was_set_after_the_registration_does_not_count_after_a_step_up_with_the_passkey_alone(
    http: httpx.Client, alice: Person, key: SoftwareAuthenticator
) -> None:
    key.flags = USER_PRESENT | USER_VERIFIED
    begun = alice.http.post("/api/step-up/passkey/", headers=alice.bearer()).json()
    body = {"ticket": begun["ticket"], "passkey": key.get(begun["options"])}
    assert alice.http.post("/api/step-up/", json=body, headers=alice.bearer()).status_code == 200
    assert not Passkey.objects.get().user_verified
    assert_problem(try_sign_in(http, key), 400, "invalid_passkey")


def test_options_for_a_second_factor_count_no_use_of_the_ticket(http: httpx.Client, key: SoftwareAuthenticator) -> None:
    ticket = login_ticket(http)
    for _ in range(6):
        options = second_factor_options(http, ticket)
    assert try_second_factor(http, ticket, key.get(options)).status_code == 200


@pytest.mark.parametrize("ticket", ["A" * 43, "x"])
def test_options_for_a_second_factor_need_a_live_ticket(http: httpx.Client, ticket: str) -> None:
    answer = http.post("/api/login/second-factor/passkey/", json={"ticket": ticket})
    assert_problem(answer, 400, "invalid_ticket", ["ticket"])


def test_ticket_of_a_passkey_sign_in_is_none_of_a_second_factor(http: httpx.Client, key: SoftwareAuthenticator) -> None:
    begun = begin(http)
    answer = http.post("/api/login/second-factor/passkey/", json={"ticket": begun["ticket"]})
    assert_problem(answer, 400, "invalid_ticket", ["ticket"])
    sessions = Session.objects.count()
    assert_problem(try_second_factor(http, begun["ticket"], key.get(begun["options"])), 400, "invalid_ticket")
    assert Session.objects.count() == sessions


def test_two_answers_at_once_are_an_invalid_input(http: httpx.Client, key: SoftwareAuthenticator) -> None:
    ticket = login_ticket(http)
    passkey = key.get(second_factor_options(http, ticket))
    answer = http.post("/api/login/second-factor/", json={"ticket": ticket, "passkey": passkey, "code": "123456"})
    assert_problem(answer, 400, "invalid", ["body"])


def test_step_up_with_a_passkey_allows_a_sensitive_change_again(
    clock: time_machine.Traveller, alice: Person, set_policy: SetPolicy
) -> None:
    set_policy(access_token_lifetime=timedelta(hours=1))
    alice.login()
    key = SoftwareAuthenticator(flags=USER_PRESENT, counter_step=1)
    add(alice, key)
    clock.shift(timedelta(minutes=11))
    assert try_options(alice).json()["code"] == "step_up_required"
    begun = alice.http.post("/api/step-up/passkey/", headers=alice.bearer()).json()
    body = {"ticket": begun["ticket"], "passkey": key.get(begun["options"])}
    raised = alice.http.post("/api/step-up/", json=body, headers=alice.bearer())
    assert raised.status_code == 200, raised.text
    alice.access_token = raised.json()["access_token"]
    assert try_options(alice).status_code == 200
    again = alice.http.post("/api/step-up/", json=body, headers=alice.bearer())
    assert_problem(again, 400, "invalid_ticket", ["ticket"])
    assert details("step_up.succeeded") == [""]


def test_step_up_with_the_passkey_of_another_account_is_refused(
    alice: Person, bob: Person, key: SoftwareAuthenticator
) -> None:
    other = SoftwareAuthenticator()
    add(bob, other)
    begun = alice.http.post("/api/step-up/passkey/", headers=alice.bearer()).json()
    body = {"ticket": begun["ticket"], "passkey": other.get({**begun["options"], "allowCredentials": []})}
    answer = alice.http.post("/api/step-up/", json=body, headers=alice.bearer())
    assert_problem(answer, 400, "invalid_passkey", ["passkey"])
    assert len(details("step_up.failed")) == 1


def test_step_up_ticket_of_another_account_is_refused(alice: Person, bob: Person, key: SoftwareAuthenticator) -> None:
    other = SoftwareAuthenticator()
    add(bob, other)
    begun = bob.http.post("/api/step-up/passkey/", headers=bob.bearer()).json()
    body = {"ticket": begun["ticket"], "passkey": key.get({**begun["options"], "allowCredentials": []})}
    answer = alice.http.post("/api/step-up/", json=body, headers=alice.bearer())
    assert_problem(answer, 400, "invalid_ticket", ["ticket"])


def test_step_up_with_a_passkey_needs_a_ticket(alice: Person, key: SoftwareAuthenticator) -> None:
    begun = alice.http.post("/api/step-up/passkey/", headers=alice.bearer()).json()
    body = {"passkey": key.get(begun["options"])}
    answer = alice.http.post("/api/step-up/", json=body, headers=alice.bearer())
    assert_problem(answer, 400, "invalid_ticket", ["ticket"])


def test_account_without_a_passkey_has_no_options_for_a_step_up(alice: Person) -> None:
    assert_problem(alice.http.post("/api/step-up/passkey/", headers=alice.bearer()), 404, "not_found")
