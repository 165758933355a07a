"""POST /api/email/change/ and POST /api/email/change/confirm/: change of the e-mail address."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from latchkey.accounts.models import User
from latchkey.audit.log import Operator
from latchkey.audit.models import AuditEvent
from latchkey.core.client import ClientInfo
from latchkey.email_addresses.change import after_admin_change
from latchkey.email_addresses.verify import mark_verified
from latchkey.email_codes.models import OneTimeCode
from tests.outbox import SentMail, last_mail, sent_mails
from tests.people import PASSWORD, Person, try_login, try_register
from tests.problems import assert_problem
from tests.support.endpoints import nothing_changes

NEW = "alice@new.example"


def request_change(person: Person, email: Any = NEW, password: Any = PASSWORD) -> httpx.Response:
    body = {"email": email, "password": password}
    return person.http.post("/api/email/change/", json=body, headers=person.bearer())


def confirm(person: Person, signed_in: bool = False, **fields: Any) -> httpx.Response:
    headers = person.bearer() if signed_in else {}
    return person.http.post("/api/email/change/confirm/", json=fields, headers=headers)


@pytest.fixture
def sent(alice: Person) -> SentMail:
    """The mail to the new address of alice."""
    assert request_change(alice).status_code == 202
    return last_mail(NEW)


def current_email(person: Person) -> str:
    return str(person.me().json()["email"])


@pytest.mark.ledger("ASVS-7.5.1", "CS-AUTH-7")
@pytest.mark.parametrize("method", ["link", "code"])
def test_email_change_applies_after_confirmation_of_the_new_address(alice: Person, sent: SentMail, method: str) -> None:
    assert (sent.kind, sent.link.partition("?")[0]) == ("email_change", "http://127.0.0.1:8000/confirm-email/")
    assert current_email(alice) == alice.email
    fields = {"token": sent.token} if method == "link" else {"code": sent.code}
    answer = confirm(alice, signed_in=method == "code", **fields)
    assert (answer.status_code, answer.json()) == (200, {"success": "E-mail address changed."})
    assert current_email(alice) == NEW
    assert_problem(try_login(alice.http), 401, "invalid_credentials")
    assert try_login(alice.http, NEW).status_code == 200
    assert User.objects.get().email_verified_at is not None


@pytest.mark.ledger("ASVS-6.3.7")
def test_email_change_notifies_the_old_address_without_a_link_or_code(alice: Person, sent: SentMail) -> None:
    confirm(alice, token=sent.token)
    notice = last_mail(alice.email)
    assert notice.kind == "email_changed"
    assert sorted(notice.context) == ["address", "device", "username", "when"]
    assert (notice.context["device"], notice.context["address"]) == ("", "")  # the old address was never confirmed
    assert "new.example" not in str(notice)
    assert len(sent_mails()) == 2
    events = AuditEvent.objects.filter(user_id=alice.id, name__startswith="email.").values_list("name", flat=True)
    assert sorted(events) == ["email.change_requested", "email.changed"]


@pytest.mark.ledger("ASVS-7.5.1")
@pytest.mark.parametrize("password", ["not the password", PASSWORD.upper()])
def test_email_change_request_with_a_wrong_password_sends_no_mail(alice: Person, password: str) -> None:
    assert_problem(request_change(alice, password=password), 400, "wrong_password", ["password"])
    assert sent_mails() == []
    assert alice.me().status_code == 200


@pytest.mark.ledger("ASVS-7.5.1")
def test_email_change_request_with_wrong_passwords_is_rate_limited_like_login(
    alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(failures_per_account=2)
    for _ in range(2):
        assert_problem(request_change(alice, password="a guess"), 400, "wrong_password")
    assert_problem(request_change(alice), 429, "too_many_attempts")


def test_email_change_request_answers_free_and_taken_addresses_alike(alice: Person, bob: Person) -> None:
    free, taken = request_change(alice), request_change(alice, bob.email)
    assert free.content == taken.content
    assert free.headers.raw == taken.headers.raw
    assert_problem(confirm(alice, token=last_mail(bob.email).token), 400, "email_taken", ["email"])
    assert (current_email(alice), current_email(bob)) == (alice.email, bob.email)
    assert confirm(alice, token=last_mail(NEW).token).status_code == 200  # what failed has spent nothing else


def test_email_change_to_one_address_by_two_users_succeeds_for_the_first_to_confirm(alice: Person, bob: Person) -> None:
    request_change(alice)
    request_change(bob)
    hers, his = sent_mails(NEW)
    assert confirm(bob, token=his.token).status_code == 200
    assert_problem(confirm(alice, token=hers.token), 400, "email_taken", ["email"])
    assert (current_email(alice), current_email(bob)) == (alice.email, NEW)


def test_email_change_request_for_the_current_address_returns_email_taken(alice: Person) -> None:
    assert_problem(request_change(alice, " ALICE@example.com"), 400, "email_taken", ["email"])
    assert sent_mails() == []


@pytest.mark.ledger("REG-ALLAUTH-09")
def test_email_change_link_confirms_the_address_that_it_was_sent_to(alice: Person) -> None:
    request_change(alice, "first@new.example")
    request_change(alice, "second@new.example")
    assert confirm(alice, token=last_mail("first@new.example").token).status_code == 200
    assert current_email(alice) == "first@new.example"
    assert_problem(confirm(alice, token=last_mail("second@new.example").token), 400, "invalid_code")


def test_email_change_code_requires_the_access_token_of_its_user(alice: Person, bob: Person, sent: SentMail) -> None:
    assert_problem(confirm(alice, code=sent.code), 401, "not_authenticated")
    assert_problem(confirm(bob, signed_in=True, code=sent.code), 400, "invalid_code")
    ended = replace(alice, access_token="x.y.z")
    assert_problem(confirm(ended, signed_in=True, code=sent.code), 401, "invalid_token")
    assert confirm(alice, signed_in=True, code=sent.code).status_code == 200


@pytest.mark.parametrize("fields", [{}, {"token": "x", "code": "0000-0000"}, {"token": ""}, {"code": ["x"]}])
def test_email_change_confirm_requires_exactly_one_of_token_and_code(
    alice: Person, sent: SentMail, fields: dict[str, Any]
) -> None:
    with nothing_changes():
        assert_problem(confirm(alice, signed_in=True, **fields), 400, "invalid")
    assert confirm(alice, token=sent.token).status_code == 200


def test_email_change_keeps_all_sessions(alice: Person, sent: SentMail) -> None:
    second_session = replace(alice).login()
    confirm(alice, token=sent.token)
    assert alice.refresh().me().json()["email"] == second_session.refresh().me().json()["email"] == NEW


def test_email_change_frees_the_old_address_for_registration(alice: Person, sent: SentMail) -> None:
    confirm(alice, token=sent.token)
    assert try_register(alice.http, alice.email).status_code == 201


def test_email_change_by_an_operator_notifies_the_old_address_and_is_unverified(alice: Person, sent: SentMail) -> None:
    assert mark_verified([alice.id]) == 1
    user = User.objects.get(pk=alice.id)
    user.email = "corrected@example.com"
    user.save()
    after_admin_change(user, alice.email, Operator(4711, ClientInfo("192.0.2.1", "an operator's browser")))
    assert_problem(confirm(alice, token=sent.token), 400, "invalid_code")
    assert (last_mail(alice.email).kind, last_mail(alice.email).context["address"]) == ("email_changed", "unknown")
    assert "operator" not in str(last_mail(alice.email).context)
    event = AuditEvent.objects.get(name="email.changed")
    assert (event.actor_id, event.ip, event.detail) == (4711, "192.0.2.1", "operator")
    assert User.objects.get(pk=alice.id).email_verified_at is None
    assert not OneTimeCode.objects.exists()
