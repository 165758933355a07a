"""Enrolment within a sign-in: the ticket of a right password sets an app up, and opens one session."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.core import clock as clocks
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidFactorCode, InvalidTicket, TooManyAttempts
from latchkey.factors import recovery_codes
from latchkey.factors.models import TotpSecret
from latchkey.factors.tickets import LIFETIME, MAX_ATTEMPTS, Ticket
from latchkey.sessions.models import Session
from latchkey.sign_in.enrolment import begin_totp, enrol_totp
from latchkey.tokens.authentication_methods import Proof
from tests.factors.apps import code_at, wrong_code
from tests.people import Person, try_login
from tests.problems import assert_problem

CLIENT = ClientInfo("192.0.2.1", "Firefox")


@pytest.fixture
def ticket(clock: time_machine.Traveller, alice: Person, set_policy: Callable[..., None]) -> str:
    """The ticket of Alice, who has no second factor, since the policy requires one; the clock stands still."""
    set_policy(second_factor="required")
    answer = try_login(alice.http)
    assert (answer.status_code, answer.json()["enrol"], answer.json()["factors"]) == (403, True, [])
    found: str = answer.json()["ticket"]
    return found


def enrol(ticket: str, secret: str) -> Any:
    return enrol_totp(ticket, code_at(secret, clocks.now()), CLIENT)


@pytest.mark.ledger("REG-ALLAUTH-20")
def test_unverified_address_gets_no_ticket_for_enrolment_where_addresses_are_verified(
    alice: Person, set_policy: Callable[..., None]
) -> None:
    """A stranger who registered the address of another must not lock its owner out with a factor."""
    set_policy(second_factor="required", email_verification="optional")
    for _ in range(20):  # the attempts are refunded: the password was right
        assert_problem(try_login(alice.http), 403, "email_not_verified")
    assert not Ticket.objects.exists()
    assert AuditEvent.objects.latest("pk").detail == "not verified"
    User.objects.update(email_verified_at=clocks.now())
    assert try_login(alice.http).json()["code"] == "second_factor_required"
    User.objects.update(email_verified_at=None, is_staff=True)
    assert try_login(alice.http).json()["code"] == "second_factor_required"


def test_enrolment_opens_a_session_with_two_factors_and_returns_recovery_codes(ticket: str, alice: Person) -> None:
    done = enrol(ticket, begin_totp(ticket).secret)
    alice.access_token = done.pair.access_token
    assert alice.me().status_code == 200
    assert Proof(Session.objects.get(credential_version=1, user=alice.id).proof) == Proof.PASSWORD | Proof.TOTP
    assert User.objects.get(pk=alice.id).second_factors == 1
    assert len(done.recovery_codes) == recovery_codes.count(alice.id) == 10
    events = AuditEvent.objects.filter(user_id=alice.id).order_by("pk").values_list("name", "detail")
    assert list(events)[-3:] == [("login.challenged", "enrolment"), ("factor.added", "totp"), ("login.succeeded", "")]


def test_enrolment_ends_the_sessions_that_were_opened_with_a_password_alone(ticket: str, alice: Person) -> None:
    assert alice.me().status_code == 200
    enrol(ticket, begin_totp(ticket).secret)
    assert_problem(alice.me(), 401, "invalid_token")
    assert try_login(alice.http).json()["factors"] == ["recovery_code", "totp"]


def test_enrolment_ticket_is_used_once(ticket: str, alice: Person) -> None:
    secret = begin_totp(ticket).secret
    enrol(ticket, secret)
    with pytest.raises(InvalidTicket):
        enrol(ticket, secret)
    with pytest.raises(InvalidTicket):
        begin_totp(ticket)
    assert Ticket.objects.count() == 0


def test_enrolment_with_a_wrong_code_changes_nothing_and_can_be_tried_again(ticket: str, alice: Person) -> None:
    secret = begin_totp(ticket).secret
    with pytest.raises(InvalidFactorCode):
        enrol_totp(ticket, wrong_code(secret, clocks.now()), CLIENT)
    assert TotpSecret.objects.get().confirmed_at is None
    assert recovery_codes.count(alice.id) == User.objects.get(pk=alice.id).second_factors == 0
    assert AuditEvent.objects.latest("pk").name == "factor.refused"
    assert enrol(ticket, secret).recovery_codes


def test_enrolment_ticket_is_dead_after_five_wrong_codes(ticket: str, alice: Person) -> None:
    secret = begin_totp(ticket).secret
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(InvalidFactorCode):
            enrol_totp(ticket, wrong_code(secret, clocks.now()), CLIENT)
    with pytest.raises(InvalidTicket):
        enrol(ticket, secret)
    again = try_login(alice.http).json()["ticket"]
    with pytest.raises(TooManyAttempts):
        enrol(again, begin_totp(again).secret)


def test_enrolment_of_another_who_knows_the_password_is_not_the_one_that_is_confirmed(
    ticket: str, alice: Person
) -> None:
    own = begin_totp(ticket).secret
    begin_totp(try_login(alice.http).json()["ticket"])
    with pytest.raises(InvalidFactorCode):
        enrol(ticket, own)


def test_enrolment_ticket_is_dead_after_five_minutes(clock: time_machine.Traveller, ticket: str, alice: Person) -> None:
    secret = begin_totp(ticket).secret
    clock.shift(LIFETIME - timedelta(seconds=1))
    begin_totp(ticket)
    clock.shift(timedelta(seconds=1))
    with pytest.raises(InvalidTicket):
        begin_totp(ticket)
    with pytest.raises(InvalidTicket):
        enrol(ticket, secret)


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "x"}])
def test_enrolment_ticket_is_dead_once_the_account_has_changed(
    ticket: str, alice: Person, change: dict[str, Any]
) -> None:
    secret = begin_totp(ticket).secret
    user = User.objects.get(pk=alice.id)
    user.is_active = change.get("is_active", True)
    if "password" in change:
        user.set_password("another long password")
    user.save()
    with pytest.raises(InvalidTicket):
        begin_totp(ticket)
    with pytest.raises(InvalidTicket):
        enrol(ticket, secret)
    assert User.objects.get(pk=alice.id).second_factors == 0


def test_enrolment_ticket_is_no_second_factor_ticket_and_the_other_way_round(
    ticket: str, alice: Person, set_policy: Callable[..., None]
) -> None:
    secret = begin_totp(ticket).secret
    code = code_at(secret, clocks.now())
    answer = alice.http.post("/api/login/second-factor/", json={"ticket": ticket, "code": code})
    assert_problem(answer, 400, "invalid_ticket", ["ticket"])
    enrol(ticket, secret)
    other = try_login(alice.http).json()["ticket"]
    with pytest.raises(InvalidTicket):
        begin_totp(other)
    with pytest.raises(InvalidTicket):
        enrol(other, secret)
