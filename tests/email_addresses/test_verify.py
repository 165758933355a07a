"""POST /api/email/verify/ and POST /api/email/verify/resend/; registering and signing in while it is asked for."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from latchkey.accounts.models import User
from latchkey.email_addresses.verify import mark_verified
from latchkey.email_codes.models import OneTimeCode
from tests.outbox import last_mail, sent_mails
from tests.people import PASSWORD, Person, try_login, try_register
from tests.problems import assert_problem
from tests.support.endpoints import nothing_changes

CAROL = "carol@example.com"


def verify(http: httpx.Client, **shown: Any) -> httpx.Response:
    return http.post("/api/email/verify/", json=shown)


def resend(http: httpx.Client, email: str) -> httpx.Response:
    return http.post("/api/email/verify/resend/", json={"email": email})


@pytest.fixture
def required(set_policy: Callable[..., None]) -> None:
    set_policy(email_verification="required")


def test_while_it_is_off_nobody_is_written_to(http: httpx.Client) -> None:
    assert try_register(http).status_code == 201
    assert sent_mails() == []
    assert try_login(http).status_code == 200


def test_while_it_is_optional_a_mail_goes_out_beside_the_usual_answer(
    http: httpx.Client, set_policy: Callable[..., None]
) -> None:
    set_policy(email_verification="optional")
    answer = try_register(http)
    user = User.objects.get()
    assert (answer.status_code, answer.json()) == (201, {"id": user.pk, "email": user.email})
    assert [(mail.kind, mail.to) for mail in sent_mails()] == [("email_verification", user.email)]
    assert try_login(http).status_code == 200
    assert_problem(try_register(http), 400, "email_taken", ["email"])
    assert len(sent_mails()) == 1
    assert verify(http, token=last_mail(user.email).token).status_code == 200
    user.refresh_from_db()
    assert user.email_verified_at is not None


@pytest.mark.parametrize("by", ["link", "code"])
def test_while_it_is_required_the_mail_lets_people_in(http: httpx.Client, required: None, by: str) -> None:
    answer = try_register(http, CAROL)
    assert (answer.status_code, list(answer.json())) == (202, ["detail"])
    assert_problem(try_login(http, CAROL), 403, "email_not_verified")
    sent = last_mail(CAROL)
    assert (sent.kind, sent.link.partition("?")[0]) == ("email_verification", "http://127.0.0.1:8000/verify-email/")
    answer = verify(http, **({"token": sent.token} if by == "link" else sent.code_fields))
    assert (answer.status_code, answer.json()) == (200, {"success": "E-mail address confirmed."})
    assert try_login(http, CAROL).status_code == 200


@pytest.mark.ledger("ASVS-2.3.1")
def test_only_who_knows_the_password_hears_that_the_address_waits(http: httpx.Client, required: None) -> None:
    try_register(http, CAROL)
    for _ in range(3):
        assert_problem(try_login(http, CAROL, "not the password"), 401, "invalid_credentials")
    for _ in range(20):  # a right password is no failure
        assert_problem(try_login(http, CAROL), 403, "email_not_verified")


def test_who_was_signed_in_before_it_was_required_stays_so(alice: Person, set_policy: Callable[..., None]) -> None:
    set_policy(email_verification="required")
    assert alice.refresh().me().status_code == 200
    assert_problem(try_login(alice.http), 403, "email_not_verified")
    assert mark_verified([alice.id]) == 1
    assert mark_verified([alice.id]) == 0
    assert alice.login().me().status_code == 200


def test_registration_answers_alike_and_the_mail_says_which(alice: Person, required: None) -> None:
    fresh, taken = try_register(alice.http, CAROL), try_register(alice.http, alice.email, "somebody else's password")
    assert fresh.status_code == taken.status_code == 202
    assert fresh.content == taken.content
    assert fresh.headers.raw == taken.headers.raw
    assert [(mail.kind, mail.to) for mail in sent_mails()] == [
        ("email_verification", CAROL),
        ("registration_of_known_address", alice.email),
    ]
    mark_verified([alice.id])
    assert try_login(alice.http, password=PASSWORD).status_code == 200


@pytest.mark.ledger("REG-POCKETBASE-01", "REG-POCKETBASE-02")
def test_an_account_opened_in_anothers_name_becomes_the_owners(
    http: httpx.Client, set_policy: Callable[..., None]
) -> None:
    mallory = Person(http, "alice@example.com", "mallory's own password").register().login()
    set_policy(email_verification="required")
    assert try_register(http).status_code == 202  # alice, who knows of nothing
    body = {"token": last_mail("alice@example.com").token, "new_password": PASSWORD}
    assert http.post("/api/password/reset/confirm/", json=body).status_code == 200
    assert_problem(mallory.me(), 401, "invalid_token")
    assert_problem(try_login(http, password=mallory.password), 401, "invalid_credentials")
    assert try_login(http).status_code == 200


def test_an_inactive_account_hears_nothing_of_a_registration(alice: Person, required: None) -> None:
    User.objects.filter(pk=alice.id).update(is_active=False)
    assert try_register(alice.http, alice.email).status_code == 202
    assert sent_mails() == []
    assert not OneTimeCode.objects.exists()


def test_registrations_of_one_address_do_not_flood_its_mailbox(alice: Person, required: None) -> None:
    told = {email: [try_register(alice.http, email).status_code for _ in range(4)] for email in (alice.email, CAROL)}
    assert told == {alice.email: [202, 202, 202, 429], CAROL: [202, 202, 202, 429]}
    assert len(sent_mails(alice.email)) == len(sent_mails(CAROL)) == 3


def test_a_password_that_is_refused_is_told_so_and_sends_nothing(alice: Person, required: None) -> None:
    for email in (alice.email, CAROL):
        assert_problem(try_register(alice.http, email, "short"), 400, "password_too_short", ["password"])
    assert sent_mails() == []


@pytest.mark.ledger("REG-DJRESTAUTH-02")
def test_the_mail_is_sent_again_to_who_waits_for_it_and_to_nobody_else(http: httpx.Client, required: None) -> None:
    try_register(http, CAROL)
    waiting, unknown = resend(http, CAROL), resend(http, "nobody@example.com")
    assert (waiting.status_code, list(waiting.json())) == (202, ["detail"])
    assert waiting.content == unknown.content
    assert waiting.headers.raw == unknown.headers.raw
    assert verify(http, token=last_mail(CAROL).token).status_code == 200
    assert resend(http, CAROL).status_code == 202
    assert len(sent_mails()) == 2
    assert_problem(resend(http, CAROL), 429, "too_many_attempts")  # registering was the first mail


@pytest.mark.ledger("ASVS-6.5.1")
def test_what_was_sent_confirms_once(http: httpx.Client, required: None) -> None:
    try_register(http, CAROL)
    sent = last_mail(CAROL)
    assert verify(http, **sent.code_fields).status_code == 200
    for shown in ({"token": sent.token}, sent.code_fields):
        assert_problem(verify(http, **shown), 400, "invalid_code", ["body"])


@pytest.mark.ledger("REG-ZITADEL-09")
def test_nobody_verifies_an_address_by_saying_so(alice: Person) -> None:
    body = {"username": "", "email_verified": True, "email_verified_at": "2026-01-01T00:00:00Z"}
    with nothing_changes():
        assert alice.http.patch("/api/me/", json=body, headers=alice.bearer()).status_code == 200
    assert alice.http.post("/api/register/", json={"email": CAROL, "password": PASSWORD, **body}).status_code == 201
    assert not User.objects.exclude(email_verified_at=None).exists()
