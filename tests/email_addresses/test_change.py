"""POST /api/email/change/ and POST /api/email/change/confirm/"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from latchkey.accounts.models import User
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


def confirm(person: Person, signed_in: bool = False, **shown: Any) -> httpx.Response:
    headers = person.bearer() if signed_in else {}
    return person.http.post("/api/email/change/confirm/", json=shown, headers=headers)


@pytest.fixture
def sent(alice: Person) -> SentMail:
    """The mail to the address that alice wants to have."""
    assert request_change(alice).status_code == 202
    return last_mail(NEW)


def sent_of_kind(person: Person) -> str:
    return str(person.me().json()["email"])


@pytest.mark.ledger("ASVS-7.5.1", "CS-AUTH-7")
@pytest.mark.parametrize("by", ["link", "code"])
def test_the_new_address_is_confirmed_before_it_signs_in_and_the_old_one_is_told(
    alice: Person, sent: SentMail, by: str
) -> None:
    assert (sent.kind, sent.link.partition("?")[0]) == ("email_change", "http://127.0.0.1:8000/confirm-email/")
    assert sent_of_kind(alice) == alice.email
    shown = {"token": sent.token} if by == "link" else {"code": sent.code}
    answer = confirm(alice, signed_in=by == "code", **shown)
    assert (answer.status_code, answer.json()) == (200, {"success": "E-mail address changed."})
    assert sent_of_kind(alice) == NEW
    assert_problem(try_login(alice.http), 401, "invalid_credentials")
    assert try_login(alice.http, NEW).status_code == 200
    assert User.objects.get().email_verified_at is not None


@pytest.mark.ledger("ASVS-6.3.7")
def test_the_notice_says_what_happened_and_opens_nothing(alice: Person, sent: SentMail) -> None:
    confirm(alice, token=sent.token)
    notice = last_mail(alice.email)
    assert notice.kind == "email_changed"
    assert sorted(notice.context) == ["address", "device", "new_email", "username", "when"]
    assert notice.context["new_email"] == "a***@new.example"
    assert notice.context["address"] == "127.0.0.1"
    assert len(sent_mails()) == 2
    kept = AuditEvent.objects.filter(user_id=alice.id, name__startswith="email.").values_list("name", flat=True)
    assert sorted(kept) == ["email.change_requested", "email.changed"]


@pytest.mark.ledger("ASVS-7.5.1")
@pytest.mark.parametrize("password", ["not the password", PASSWORD.upper()])
def test_a_wrong_password_sends_nothing(alice: Person, password: str) -> None:
    assert_problem(request_change(alice, password=password), 400, "wrong_password", ["password"])
    assert sent_mails() == []
    assert alice.me().status_code == 200


@pytest.mark.ledger("ASVS-7.5.1")
def test_guessing_the_password_is_limited_like_signing_in(alice: Person, set_policy: Callable[..., None]) -> None:
    set_policy(failures_per_account=2)
    for _ in range(2):
        assert_problem(request_change(alice, password="a guess"), 400, "wrong_password")
    assert_problem(request_change(alice), 429, "too_many_attempts")


def test_whether_somebody_has_the_address_is_seen_by_its_reader_alone(alice: Person, bob: Person) -> None:
    free, taken = request_change(alice), request_change(alice, bob.email)
    assert free.content == taken.content
    assert free.headers.raw == taken.headers.raw
    assert_problem(confirm(alice, token=last_mail(bob.email).token), 400, "email_taken", ["email"])
    assert (sent_of_kind(alice), sent_of_kind(bob)) == (alice.email, bob.email)
    assert confirm(alice, token=last_mail(NEW).token).status_code == 200  # what failed has spent nothing else


def test_of_two_who_want_one_address_the_first_to_confirm_has_it(alice: Person, bob: Person) -> None:
    request_change(alice)
    request_change(bob)
    hers, his = sent_mails(NEW)
    assert confirm(bob, token=his.token).status_code == 200
    assert_problem(confirm(alice, token=hers.token), 400, "email_taken", ["email"])
    assert (sent_of_kind(alice), sent_of_kind(bob)) == (alice.email, NEW)


def test_ones_own_address_is_no_other(alice: Person) -> None:
    assert_problem(request_change(alice, " ALICE@example.com"), 400, "email_taken", ["email"])
    assert sent_mails() == []


@pytest.mark.ledger("REG-ALLAUTH-09")
def test_a_link_confirms_the_address_that_it_was_sent_to(alice: Person) -> None:
    request_change(alice, "first@new.example")
    request_change(alice, "second@new.example")
    assert confirm(alice, token=last_mail("first@new.example").token).status_code == 200
    assert sent_of_kind(alice) == "first@new.example"
    assert_problem(confirm(alice, token=last_mail("second@new.example").token), 400, "invalid_code")


def test_a_code_is_typed_by_who_is_signed_in(alice: Person, bob: Person, sent: SentMail) -> None:
    assert_problem(confirm(alice, code=sent.code), 401, "not_authenticated")
    assert_problem(confirm(bob, signed_in=True, code=sent.code), 400, "invalid_code")
    ended = replace(alice, access_token="x.y.z")
    assert_problem(confirm(ended, signed_in=True, code=sent.code), 401, "invalid_token")
    assert confirm(alice, signed_in=True, code=sent.code).status_code == 200


@pytest.mark.parametrize("shown", [{}, {"token": "x", "code": "0000-0000"}, {"token": ""}, {"code": ["x"]}])
def test_either_the_token_or_the_code_is_asked_for(alice: Person, sent: SentMail, shown: dict[str, Any]) -> None:
    with nothing_changes():
        assert_problem(confirm(alice, signed_in=True, **shown), 400, "invalid")
    assert confirm(alice, token=sent.token).status_code == 200


def test_sessions_go_on(alice: Person, sent: SentMail) -> None:
    elsewhere = replace(alice).login()
    confirm(alice, token=sent.token)
    assert alice.refresh().me().json()["email"] == elsewhere.refresh().me().json()["email"] == NEW


def test_the_address_that_was_left_is_free(alice: Person, sent: SentMail) -> None:
    confirm(alice, token=sent.token)
    assert try_register(alice.http, alice.email).status_code == 201


def test_a_change_by_an_operator_is_told_to_the_old_address_and_is_not_verified(alice: Person, sent: SentMail) -> None:
    assert mark_verified([alice.id]) == 1
    user = User.objects.get(pk=alice.id)
    user.email = "corrected@example.com"
    user.save()
    after_admin_change(user, alice.email, ClientInfo("192.0.2.1", "an operator's browser"))
    assert_problem(confirm(alice, token=sent.token), 400, "invalid_code")
    assert (last_mail(alice.email).kind, last_mail(alice.email).context["address"]) == ("email_changed", "192.0.2.1")
    assert User.objects.get(pk=alice.id).email_verified_at is None
    assert not OneTimeCode.objects.exists()
