"""Sign-in in two steps: the password gives a ticket, and the ticket with a second factor a session."""

from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.factors.tickets import MAX_ATTEMPTS, MAX_OPEN, Ticket
from latchkey.sessions.models import Session
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem
from tests.second_factors import EnrolledPerson, enrol, try_second_factor

NOT_ASCII = ("\uff14\uff16\uff16\uff19\uff15\uff13", "\u0967\u0968\u0969\u096a\u096b\u096c")
"""Six digits that are full-width, and of another script: other spellings of a code that was used (allauth)."""


@pytest.fixture
def enrolled(clock: time_machine.Traveller, alice: Person) -> EnrolledPerson:
    """Alice, who has an authenticator app."""
    return enrol(alice)


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def test_login_of_an_account_with_a_second_factor_returns_403_with_a_ticket(enrolled: EnrolledPerson) -> None:
    answer = enrolled.try_password()
    assert_problem(answer, 403, "second_factor_required")
    problem = answer.json()
    assert problem["factors"] == ["recovery_code", "totp"]
    assert problem["expires_in"] == 300
    assert len(problem["ticket"]) == 43
    assert list(problem)[-3:] == ["ticket", "factors", "expires_in"]
    assert "access_token" not in answer.text
    assert Session.objects.filter(user=enrolled.person.id).count() == 1  # that of the enrolment


def test_login_of_an_account_without_a_second_factor_answers_the_two_tokens_alone(alice: Person) -> None:
    answer = try_login(alice.http)
    assert list(answer.json()) == ["access_token", "refresh_token"]
    assert set(claims(answer.json()["access_token"])) == {
        *("user_id", "sub", "sid", "iat", "exp", "jti", "iss", "aud"),
    }


@pytest.mark.ledger("RFC9068-2.2.1", "NIST-5.1-2")
def test_second_factor_returns_tokens_whose_claims_say_so(
    clock: time_machine.Traveller, enrolled: EnrolledPerson
) -> None:
    clock.shift(60)
    enrolled.sign_in()
    token = claims(enrolled.person.access_token)
    assert (token["amr"], token["acr"]) == (["mfa", "otp", "pwd"], "aal2")
    assert token["auth_time"] == token["iat"]
    clock.shift(20)
    refreshed = claims(enrolled.person.refresh().access_token)
    assert (refreshed["amr"], refreshed["acr"], refreshed["auth_time"]) == (token["amr"], "aal2", token["auth_time"])
    assert refreshed["iat"] == token["iat"] + 20


def test_wrong_code_returns_400_and_the_ticket_lives_on(enrolled: EnrolledPerson) -> None:
    ticket = enrolled.ticket()
    answer = enrolled.try_second_factor(ticket, code="000000")
    assert_problem(answer, 400, "invalid_code")
    problem = answer.json()
    assert list(problem["errors"]) == ["code"]
    assert enrolled.try_second_factor(ticket, code=enrolled.app.code()).status_code == 200
    assert_problem(enrolled.try_second_factor(ticket, code=enrolled.app.code(1)), 400, "invalid_ticket")


@pytest.mark.ledger("ASVS-6.5.1", "RFC6238")
def test_code_signs_in_once_with_any_ticket(enrolled: EnrolledPerson) -> None:
    code = enrolled.app.code()
    first, second = enrolled.ticket(), enrolled.ticket()
    assert enrolled.try_second_factor(first, code=code).status_code == 200
    assert_problem(enrolled.try_second_factor(second, code=code), 400, "invalid_code")


def test_ticket_allows_five_attempts_and_no_further_one_with_the_right_code(
    clock: time_machine.Traveller, enrolled: EnrolledPerson
) -> None:
    enrolled.sign_in()  # from now on this is a known device, with five free failures of its own
    clock.shift(60)
    ticket = enrolled.ticket()
    for _ in range(MAX_ATTEMPTS - 1):
        assert_problem(enrolled.try_second_factor(ticket, code="000000"), 400, "invalid_code")
    assert_problem(enrolled.try_second_factor(ticket, code=" 00000"), 400, "invalid_code")
    assert_problem(enrolled.try_second_factor(ticket, code=enrolled.app.code()), 400, "invalid_ticket")


@pytest.mark.ledger("ASVS-6.3.1")
def test_guesses_at_codes_are_answered_429_while_a_recovery_code_still_works(enrolled: EnrolledPerson) -> None:
    statuses = []
    for _ in range(2):
        ticket = enrolled.ticket()
        statuses += [enrolled.try_second_factor(ticket, code="000000").status_code for _ in range(3)]
    assert statuses == [400, 400, 400, 400, 400, 429]
    assert_problem(enrolled.try_second_factor(enrolled.ticket(), code=enrolled.app.code()), 429, "too_many_attempts")
    answer = enrolled.try_second_factor(enrolled.ticket(), recovery_code=enrolled.recovery_codes[0])
    assert answer.status_code == 200


def test_recovery_code_signs_in_once_in_any_spelling(enrolled: EnrolledPerson) -> None:
    first, second = enrolled.recovery_codes[:2]
    assert enrolled.try_second_factor(enrolled.ticket(), recovery_code=first).status_code == 200
    answer = enrolled.try_second_factor(enrolled.ticket(), recovery_code=first)
    assert_problem(answer, 400, "invalid_code")
    problem = answer.json()
    assert list(problem["errors"]) == ["recovery_code"]
    spelled = second.lower().replace("-", " ")
    assert enrolled.try_second_factor(enrolled.ticket(), recovery_code=spelled).status_code == 200
    used = AuditEvent.objects.filter(name="recovery_code.used").order_by("id").values_list("detail", flat=True)
    assert list(used) == ["9 left", "8 left"]


def test_ticket_expires_after_five_minutes(clock: time_machine.Traveller, enrolled: EnrolledPerson) -> None:
    ticket = enrolled.ticket()
    clock.shift(timedelta(minutes=5, seconds=-1))
    assert_problem(enrolled.try_second_factor(ticket, code="000000"), 400, "invalid_code")
    clock.shift(timedelta(seconds=1))
    assert_problem(enrolled.try_second_factor(ticket, code=enrolled.app.code()), 400, "invalid_ticket")


@pytest.mark.parametrize("change", ["password", "inactive"])
def test_ticket_is_dead_once_the_account_has_changed(enrolled: EnrolledPerson, change: str) -> None:
    ticket = enrolled.ticket()
    user = User.objects.get(pk=enrolled.person.id)
    if change == "password":
        user.set_password("another long password")
    else:
        user.is_active = False
    user.save()
    assert_problem(enrolled.try_second_factor(ticket, code=enrolled.app.code()), 400, "invalid_ticket")


@pytest.mark.parametrize("ticket", ["x", "x" * 43, "é" * 43, "9Xh1c0kq4mE7Yy2f8sVb3tLzQw6RnDpUaJgKiOxCeT4"])
def test_unknown_ticket_returns_400(http: httpx.Client, ticket: str) -> None:
    assert_problem(try_second_factor(http, ticket, code="123456"), 400, "invalid_ticket")


@pytest.mark.parametrize(
    "answer",
    [{}, {"code": "123456", "recovery_code": "ABCDE-FGHJK"}, {"code": 123456}, {"code": ""}, {"code": None}],
)
def test_second_factor_takes_exactly_one_answer(http: httpx.Client, answer: dict[str, Any]) -> None:
    assert_problem(try_second_factor(http, "x" * 43, **answer), 400, "invalid")


@pytest.mark.parametrize("code", [*NOT_ASCII, "12345", "1234567", "123 456", "12345a", "+12345"])
def test_code_that_is_not_six_ascii_digits_is_wrong(enrolled: EnrolledPerson, code: str) -> None:
    assert_problem(enrolled.try_second_factor(enrolled.ticket(), code=code), 400, "invalid_code")


def test_account_has_no_more_than_ten_open_tickets(enrolled: EnrolledPerson) -> None:
    first = enrolled.ticket()
    for _ in range(MAX_OPEN):
        enrolled.ticket()
    assert Ticket.objects.filter(user=enrolled.person.id).count() == MAX_OPEN
    assert_problem(enrolled.try_second_factor(first, code=enrolled.app.code()), 400, "invalid_ticket")


def test_stranger_without_the_password_cannot_use_up_the_attempts_of_the_owner(enrolled: EnrolledPerson) -> None:
    for number in range(20):
        assert try_login(enrolled.http, enrolled.person.email, f"wrong {number}").status_code in (401, 429)
        try_second_factor(enrolled.http, f"{number:043}", code="000000")
    User.objects.get(pk=enrolled.person.id)
    counted = AuditEvent.objects.filter(name="factor.refused")
    assert counted.count() == 0


def test_events_tell_each_step_of_a_sign_in(enrolled: EnrolledPerson) -> None:
    AuditEvent.objects.all().delete()
    ticket = enrolled.ticket()
    enrolled.try_second_factor(ticket, code="000000")
    enrolled.try_second_factor(ticket, code=enrolled.app.code())
    events = AuditEvent.objects.order_by("id").values_list("name", "detail")
    assert list(events) == [
        ("login.challenged", "second_factor"),
        ("factor.refused", "totp"),
        ("login.succeeded", ""),
    ]


def test_password_of_an_account_with_a_second_factor_is_told_only_by_the_ticket(enrolled: EnrolledPerson) -> None:
    wrong = try_login(enrolled.http, enrolled.person.email, "not the password")
    unknown = try_login(enrolled.http, "nobody@example.com", PASSWORD)
    assert (wrong.status_code, wrong.json()) == (unknown.status_code, unknown.json())
