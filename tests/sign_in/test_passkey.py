"""POST /api/login/passkey/: sign-in with a passkey alone, its single-use challenge, its limits and events."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
import time_machine
from django.db import connection

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidPasskey
from latchkey.factors.tickets import Ticket
from latchkey.passkeys.models import Passkey
from latchkey.passkeys.serializers import PasskeyInput
from latchkey.rate_limits.in_memory import MAX_PER_WINDOW
from latchkey.sessions.models import Session
from latchkey.sign_in.passkey import admit_with_passkey
from tests.fixtures.clients import ClientFactory
from tests.passkeys.requests import add, begin, try_add, try_sign_in
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem
from tests.support.software_authenticator import (
    BACKED_UP,
    BACKUP_ELIGIBLE,
    USER_PRESENT,
    USER_VERIFIED,
    SoftwareAuthenticator,
    encode,
)

SetPolicy = Callable[..., None]


@pytest.fixture
def phone(alice: Person) -> SoftwareAuthenticator:
    """An authenticator with a passkey of Alice's."""
    authenticator = SoftwareAuthenticator()
    add(alice, authenticator)
    return authenticator


def details(name: str) -> list[str]:
    return list(AuditEvent.objects.filter(name=name).order_by("id").values_list("detail", flat=True))


def claims(answer: httpx.Response) -> dict[str, Any]:
    decoded: dict[str, Any] = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    return decoded


def test_options_for_a_sign_in_name_nobody_and_require_user_verification(http: httpx.Client) -> None:
    begun = begin(http)
    assert sorted(begun) == ["expires_in", "options", "ticket"]
    assert begun["options"]["allowCredentials"] == []
    assert (begun["options"]["rpId"], begun["options"]["userVerification"]) == ("localhost", "required")
    assert begin(http)["options"]["challenge"] != begun["options"]["challenge"]


def test_sign_in_with_a_passkey_answers_a_pair_of_tokens(
    http: httpx.Client, alice: Person, phone: SoftwareAuthenticator
) -> None:
    answer = try_sign_in(http, phone)
    assert answer.status_code == 200, answer.text
    assert sorted(answer.json()) == ["access_token", "refresh_token"]
    signed_in = Person(http, alice.email, id=alice.id)._store_tokens(answer)
    assert signed_in.me().json()["email"] == alice.email
    assert signed_in.refresh().me().status_code == 200
    assert Passkey.objects.get().last_used_at is not None


def test_token_of_a_passkey_says_that_it_is_phishing_resistant(
    http: httpx.Client, phone: SoftwareAuthenticator
) -> None:
    token = claims(try_sign_in(http, phone))
    assert (token["acr"], token["amr"]) == ("phr", ["mfa", "pop", "user"])


def test_password_of_an_account_with_a_passkey_opens_no_session(
    http: httpx.Client, alice: Person, phone: SoftwareAuthenticator
) -> None:
    sessions = Session.objects.count()
    answer = try_login(http, alice.email)
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
    assert answer.json()["factors"] == ["passkey", "recovery_code"]
    assert Session.objects.count() == sessions


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "the origin of another site": ({"origin": "https://evil.example"}, "wrong origin"),
    "the RP ID of another site": ({"rp_id": "evil.example"}, "not verified"),
    "another challenge": ({"challenge": encode(b"x" * 32)}, "wrong challenge"),
    "another signature": ({"signature": b"forged"}, "not verified"),
    "no user handle": ({"user_handle": None}, "no user handle"),
    "the user handle of another": ({"user_handle": b"x" * 32}, "wrong user handle"),
    "an unverified user": ({"flags": USER_PRESENT | BACKUP_ELIGIBLE | BACKED_UP}, "user not verified"),
    "an absent user": ({"flags": USER_VERIFIED | BACKUP_ELIGIBLE | BACKED_UP}, "not verified"),
    "the type of a registration": ({"type": "webauthn.create"}, "wrong ceremony"),
}


@pytest.mark.ledger("NIST-3.1.7")
@pytest.mark.parametrize(("lie", "reason"), LIES.values(), ids=LIES)
def test_sign_in_refuses_with_one_answer_and_the_audit_log_has_the_reason(
    http: httpx.Client, phone: SoftwareAuthenticator, lie: dict[str, Any], reason: str
) -> None:
    sessions = Session.objects.count()
    assert_problem(try_sign_in(http, phone, **lie), 400, "invalid_passkey", ["passkey"])
    assert details("login.failed") == [f"passkey: {reason}"]
    assert Session.objects.count() == sessions
    assert try_sign_in(http, phone).status_code == 200


def test_passkey_that_nobody_has_is_refused_with_the_same_answer(http: httpx.Client, alice: Person) -> None:
    stranger = SoftwareAuthenticator()
    stranger.create(
        {"rp": {"id": "localhost"}, "user": {"id": encode(b"x" * 32)}, "challenge": "", "excludeCredentials": []}
    )
    answer = try_sign_in(http, stranger)
    assert_problem(answer, 400, "invalid_passkey", ["passkey"])
    assert details("login.failed") == ["passkey: unknown passkey"]


@pytest.mark.ledger("ASVS-6.7.2")
def test_posthog_43625_challenge_of_a_sign_in_is_used_once(http: httpx.Client, phone: SoftwareAuthenticator) -> None:
    begun = begin(http)
    body = {"ticket": begun["ticket"], "passkey": phone.get(begun["options"])}
    assert http.post("/api/login/passkey/", json=body).status_code == 200
    assert_problem(http.post("/api/login/passkey/", json=body), 400, "invalid_ticket", ["ticket"])


def test_wrong_answer_uses_the_challenge_up(http: httpx.Client, phone: SoftwareAuthenticator) -> None:
    begun = begin(http)
    wrong = {"ticket": begun["ticket"], "passkey": phone.get(begun["options"], signature=b"x")}
    assert_problem(http.post("/api/login/passkey/", json=wrong), 400, "invalid_passkey")
    right = {"ticket": begun["ticket"], "passkey": phone.get(begun["options"])}
    assert_problem(http.post("/api/login/passkey/", json=right), 400, "invalid_ticket", ["ticket"])


def test_answer_to_the_challenge_of_another_ticket_is_refused(http: httpx.Client, phone: SoftwareAuthenticator) -> None:
    first, second = begin(http), begin(http)
    body = {"ticket": second["ticket"], "passkey": phone.get(first["options"])}
    assert_problem(http.post("/api/login/passkey/", json=body), 400, "invalid_passkey", ["passkey"])


def test_ticket_of_a_sign_in_expires_after_five_minutes(clock: time_machine.Traveller, http: httpx.Client) -> None:
    alice = Person(http, "alice@example.com").register().login()
    phone = SoftwareAuthenticator()
    add(alice, phone)
    begun = begin(http)
    clock.shift(timedelta(minutes=5, seconds=1))
    body = {"ticket": begun["ticket"], "passkey": phone.get(begun["options"])}
    assert_problem(http.post("/api/login/passkey/", json=body), 400, "invalid_ticket", ["ticket"])


@pytest.mark.parametrize("ticket", ["", "x", "A" * 43, "é" * 43, "A" * 64])
def test_unknown_ticket_is_refused(http: httpx.Client, phone: SoftwareAuthenticator, ticket: str) -> None:
    body = {"ticket": ticket, "passkey": phone.get(begin(http)["options"])}
    answer = http.post("/api/login/passkey/", json=body)
    assert_problem(answer, 400, "invalid_ticket" if ticket else "invalid", ["ticket"])


def test_counter_that_goes_back_is_refused_and_reported(http: httpx.Client, alice: Person) -> None:
    key = SoftwareAuthenticator(flags=USER_PRESENT | USER_VERIFIED, counter_step=1)
    assert try_add(alice, key, counter=10).status_code == 201
    assert_problem(try_sign_in(http, key, counter=10), 400, "invalid_passkey")
    assert details("passkey.suspicious") == ["counter went back"]
    assert AuditEvent.objects.get(name="passkey.suspicious").user_id == alice.id
    assert try_sign_in(http, key, counter=11).status_code == 200
    assert Passkey.objects.get().sign_count == 11


def test_backup_eligibility_that_changes_is_refused_and_reported(
    http: httpx.Client, phone: SoftwareAuthenticator
) -> None:
    assert_problem(try_sign_in(http, phone, flags=USER_PRESENT | USER_VERIFIED), 400, "invalid_passkey")
    assert details("passkey.suspicious") == ["backup eligibility changed"]


def test_security_key_without_a_pin_at_registration_does_not_sign_in_alone(http: httpx.Client, alice: Person) -> None:
    key = SoftwareAuthenticator(flags=USER_PRESENT, counter_step=1)
    add(alice, key)
    key.flags = USER_PRESENT | USER_VERIFIED
    assert_problem(try_sign_in(http, key), 400, "invalid_passkey")


def test_inactive_account_is_refused_as_an_unknown_passkey_is(http: httpx.Client, phone: SoftwareAuthenticator) -> None:
    User.objects.get().save()
    User.objects.update(is_active=False)
    assert_problem(try_sign_in(http, phone), 400, "invalid_passkey", ["passkey"])


def test_inactive_account_reaches_no_gate_whatever_that_checks(
    http: httpx.Client, phone: SoftwareAuthenticator
) -> None:
    begun = begin(http)
    answer = PasskeyInput(data=phone.get(begun["options"]))
    answer.is_valid(raise_exception=True)
    User.objects.update(is_active=False)
    with pytest.raises(InvalidPasskey):
        admit_with_passkey(begun["ticket"], answer.validated_data, ClientInfo(), lambda *_: "a session")


def test_removed_passkey_signs_in_nobody(http: httpx.Client, alice: Person, phone: SoftwareAuthenticator) -> None:
    path = f"/api/me/passkeys/{Passkey.objects.get().pk}/"
    assert alice.http.delete(path, headers=alice.bearer()).status_code == 204
    assert_problem(try_sign_in(http, phone), 400, "invalid_passkey", ["passkey"])


def test_unverified_address_is_told_where_verification_is_required(
    http: httpx.Client, phone: SoftwareAuthenticator, set_policy: SetPolicy
) -> None:
    set_policy(email_verification="required")
    assert_problem(try_sign_in(http, phone), 403, "email_not_verified")


def test_passkey_signs_in_while_the_policy_is_off(
    http: httpx.Client, phone: SoftwareAuthenticator, set_policy: SetPolicy
) -> None:
    set_policy(second_factor="off")
    assert try_sign_in(http, phone).status_code == 200


def test_allauth_passkey_spam_wrong_answers_never_lock_the_account_out(
    from_address: ClientFactory, phone: SoftwareAuthenticator, set_policy: SetPolicy
) -> None:
    set_policy(failures_per_address=10, failures_per_account=5)
    stranger, home = from_address("203.0.113.7"), from_address("198.51.100.7")
    answers = [try_sign_in(stranger, phone, signature=b"x").status_code for _ in range(20)]
    assert answers == [400] * 10 + [429] * 10
    assert try_sign_in(home, phone).status_code == 200
    assert try_login(home, "alice@example.com", PASSWORD).status_code == 403


def test_right_sign_ins_are_not_counted(
    from_address: ClientFactory, phone: SoftwareAuthenticator, set_policy: SetPolicy
) -> None:
    set_policy(failures_per_address=10)
    home = from_address("198.51.100.7")
    assert [try_sign_in(home, phone).status_code for _ in range(15)] == [200] * 15


def test_tickets_that_anybody_may_ask_for_are_limited_by_address(from_address: ClientFactory) -> None:
    stranger, other = from_address("203.0.113.7"), from_address("198.51.100.7")
    answers = [stranger.post("/api/login/passkey/options/") for _ in range(MAX_PER_WINDOW + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert_problem(answers[-1], 429, "too_many_attempts")
    assert other.post("/api/login/passkey/options/").status_code == 200
    assert Ticket.objects.count() == MAX_PER_WINDOW + 1


def test_sign_in_with_a_passkey_has_a_budget_of_statements(
    http: httpx.Client, phone: SoftwareAuthenticator, django_assert_max_num_queries: Any
) -> None:
    try_sign_in(http, phone)  # what is loaded once
    with django_assert_max_num_queries(1):
        begun = begin(http)
    body = {"ticket": begun["ticket"], "passkey": phone.get(begun["options"])}
    with django_assert_max_num_queries(12) as counted:
        assert http.post("/api/login/passkey/", json=body).status_code == 200
    statements = [query["sql"] for query in counted if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == (8 if connection.vendor == "postgresql" else 9), statements
