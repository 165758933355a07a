"""A passkey that is set up within a sign-in, because the policy requires a second factor."""

from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.factors.models import RecoveryCode
from latchkey.passkeys.models import Passkey
from latchkey.sessions.models import Session
from tests.passkeys.requests import try_sign_in
from tests.people import Person, try_login
from tests.problems import assert_problem
from tests.support.software_authenticator import SoftwareAuthenticator


@pytest.fixture
def ticket(alice: Person, set_policy: Callable[..., None]) -> str:
    """The ticket of Alice, who has no second factor, since the policy requires one."""
    set_policy(second_factor="required")
    answer = try_login(alice.http)
    assert (answer.status_code, answer.json()["enrol"]) == (403, True)
    found: str = answer.json()["ticket"]
    return found


@pytest.fixture
def phone() -> SoftwareAuthenticator:
    """An authenticator without a passkey."""
    return SoftwareAuthenticator()


def begin(http: httpx.Client, ticket: str) -> dict[str, Any]:
    answer = http.post("/api/login/enrolment/passkey/", json={"ticket": ticket})
    assert answer.status_code == 200, answer.text
    options: dict[str, Any] = answer.json()["options"]
    return options


def finish(http: httpx.Client, ticket: str, passkey: dict[str, Any]) -> httpx.Response:
    body = {"ticket": ticket, "name": "Phone", "passkey": passkey}
    return http.post("/api/login/enrolment/passkey/confirm/", json=body)


def test_enrolment_of_a_passkey_opens_a_session_and_returns_recovery_codes(
    http: httpx.Client, alice: Person, ticket: str, phone: SoftwareAuthenticator
) -> None:
    answer = finish(http, ticket, phone.create(begin(http, ticket)))
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["recovery_codes"]) == RecoveryCode.objects.count() == 10
    token = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert (token["acr"], token["amr"]) == ("phr", ["mfa", "pop", "pwd", "user"])
    assert_problem(alice.me(), 401, "invalid_token")  # the session from before
    alice.access_token = answer.json()["access_token"]
    assert alice.me().status_code == 200
    assert (Passkey.objects.get().name, User.objects.get().second_factors) == ("Phone", 1)
    assert try_sign_in(http, phone).status_code == 200


def test_enrolment_of_a_passkey_uses_the_ticket_up(
    http: httpx.Client, ticket: str, phone: SoftwareAuthenticator
) -> None:
    passkey = phone.create(begin(http, ticket))
    assert finish(http, ticket, passkey).status_code == 200
    assert_problem(finish(http, ticket, passkey), 400, "invalid_ticket", ["ticket"])
    assert Passkey.objects.count() == 1


def test_wrong_answer_at_enrolment_needs_new_options(
    http: httpx.Client, ticket: str, phone: SoftwareAuthenticator
) -> None:
    sessions, options = Session.objects.count(), begin(http, ticket)
    wrong = finish(http, ticket, phone.create(options, origin="https://evil.example"))
    assert_problem(wrong, 400, "invalid_passkey", ["passkey"])
    assert_problem(finish(http, ticket, phone.create(options)), 400, "invalid_passkey", ["passkey"])
    assert (Passkey.objects.count(), Session.objects.count()) == (0, sessions)
    refused = AuditEvent.objects.filter(name="factor.refused").order_by("id").values_list("detail", flat=True)
    assert list(refused) == ["passkey: wrong origin", "passkey: wrong challenge"]
    assert finish(http, ticket, phone.create(begin(http, ticket))).status_code == 200


def test_ticket_of_a_second_factor_enrols_no_passkey(
    http: httpx.Client, alice: Person, ticket: str, phone: SoftwareAuthenticator
) -> None:
    assert finish(http, ticket, phone.create(begin(http, ticket))).status_code == 200
    second = try_login(http).json()["ticket"]
    answer = http.post("/api/login/enrolment/passkey/", json={"ticket": second})
    assert_problem(answer, 400, "invalid_ticket", ["ticket"])
    assert_problem(
        finish(http, second, SoftwareAuthenticator().create({**CREATE, "excludeCredentials": []})),
        400,
        "invalid_ticket",
    )


CREATE = {"rp": {"id": "localhost"}, "user": {"id": "eA"}, "challenge": "eA"}
