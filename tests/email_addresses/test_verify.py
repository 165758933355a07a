"""POST /api/email/verify/ and POST /api/email/verify/resend/; register and login by the email_verification setting."""

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


def verify(http: httpx.Client, **fields: Any) -> httpx.Response:
    return http.post("/api/email/verify/", json=fields)


def resend(http: httpx.Client, email: str) -> httpx.Response:
    return http.post("/api/email/verify/resend/", json={"email": email})


@pytest.fixture
def required(set_policy: Callable[..., None]) -> None:
    set_policy(email_verification="required")


def test_register_with_verification_off_sends_no_mail(http: httpx.Client) -> None:
    assert try_register(http).status_code == 201
    assert sent_mails() == []
    assert try_login(http).status_code == 200


def test_register_with_verification_optional_returns_201_and_sends_a_mail(
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


@pytest.mark.parametrize("method", ["link", "code"])
def test_login_with_verification_required_succeeds_after_link_or_code(
    http: httpx.Client, required: None, method: str
) -> None:
    answer = try_register(http, CAROL)
    assert (answer.status_code, list(answer.json())) == (202, ["detail"])
    assert_problem(try_login(http, CAROL), 403, "email_not_verified")
    sent = last_mail(CAROL)
    assert (sent.kind, sent.link.partition("?")[0]) == ("email_verification", "http://127.0.0.1:8000/verify-email/")
    answer = verify(http, **({"token": sent.token} if method == "link" else sent.code_fields))
    assert (answer.status_code, answer.json()) == (200, {"success": "E-mail address verified."})
    assert try_login(http, CAROL).status_code == 200


@pytest.mark.ledger("ASVS-2.3.1")
def test_login_of_an_unverified_user_returns_email_not_verified_only_with_the_right_password(
    http: httpx.Client, required: None
) -> None:
    try_register(http, CAROL)
    for _ in range(3):
        assert_problem(try_login(http, CAROL, "not the password"), 401, "invalid_credentials")
    for _ in range(20):  # a right password is no failure
        assert_problem(try_login(http, CAROL), 403, "email_not_verified")


def test_existing_sessions_stay_valid_when_verification_becomes_required(
    alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(email_verification="required")
    assert alice.refresh().me().status_code == 200
    assert_problem(try_login(alice.http), 403, "email_not_verified")
    assert mark_verified([alice.id]) == 1
    assert mark_verified([alice.id]) == 0
    assert alice.login().me().status_code == 200


def test_register_with_verification_required_answers_free_and_taken_addresses_alike(
    alice: Person, required: None
) -> None:
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
def test_mail_to_the_owner_of_a_registered_address_lets_them_take_over_the_account(
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


def test_register_with_the_email_of_an_inactive_user_sends_no_mail(alice: Person, required: None) -> None:
    User.objects.filter(pk=alice.id).update(is_active=False)
    assert try_register(alice.http, alice.email).status_code == 202
    assert sent_mails() == []
    assert not OneTimeCode.objects.exists()


def test_register_with_one_email_is_rate_limited_to_three_mails(alice: Person, required: None) -> None:
    statuses = {
        email: [try_register(alice.http, email).status_code for _ in range(4)] for email in (alice.email, CAROL)
    }
    assert statuses == {alice.email: [202, 202, 202, 429], CAROL: [202, 202, 202, 429]}
    assert len(sent_mails(alice.email)) == len(sent_mails(CAROL)) == 3


def test_register_with_a_short_password_sends_no_mail(alice: Person, required: None) -> None:
    for email in (alice.email, CAROL):
        assert_problem(try_register(alice.http, email, "short"), 400, "password_too_short", ["password"])
    assert sent_mails() == []


@pytest.mark.ledger("REG-DJRESTAUTH-02")
def test_verify_resend_sends_a_mail_only_to_an_unverified_user_and_answers_alike(
    http: httpx.Client, required: None
) -> None:
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
def test_verify_accepts_link_and_code_only_once(http: httpx.Client, required: None) -> None:
    try_register(http, CAROL)
    sent = last_mail(CAROL)
    assert verify(http, **sent.code_fields).status_code == 200
    for fields in ({"token": sent.token}, sent.code_fields):
        assert_problem(verify(http, **fields), 400, "invalid_code", ["body"])


@pytest.mark.ledger("REG-ZITADEL-09")
def test_me_and_register_ignore_email_verified_fields(alice: Person) -> None:
    body = {"username": "", "email_verified": True, "email_verified_at": "2026-01-01T00:00:00Z"}
    with nothing_changes():
        assert alice.http.patch("/api/me/", json=body, headers=alice.bearer()).status_code == 200
    assert alice.http.post("/api/register/", json={"email": CAROL, "password": PASSWORD, **body}).status_code == 201
    assert not User.objects.exclude(email_verified_at=None).exists()


MALLORYS = "mallory's own password"


@pytest.mark.parametrize("resends", [False, True])
def test_owner_who_registers_after_an_attacker_gets_the_account_with_their_own_password(
    http: httpx.Client, required: None, resends: bool
) -> None:
    assert try_register(http, CAROL, MALLORYS).status_code == 202
    of_attacker = last_mail(CAROL)
    assert try_register(http, CAROL).status_code == 202
    if resends:  # by the attacker: the new mail belongs to the latest registration
        assert http.post("/api/email/verify/resend/", json={"email": CAROL}).status_code == 202
    assert_problem(verify(http, token=of_attacker.token), 400, "invalid_code")
    assert_problem(verify(http, **of_attacker.code_fields), 400, "invalid_code")
    assert verify(http, token=last_mail(CAROL).token).status_code == 200
    assert_problem(try_login(http, CAROL, MALLORYS), 401, "invalid_credentials")
    assert try_login(http, CAROL).status_code == 200
    assert User.objects.filter(email=CAROL).count() == 1


def test_register_again_answers_the_same_as_the_first_time(http: httpx.Client, required: None) -> None:
    first, second = try_register(http, CAROL, MALLORYS), try_register(http, CAROL)
    assert (first.status_code, first.content) == (second.status_code, second.content) == (202, first.content)
    assert [mail.kind for mail in sent_mails(CAROL)] == ["email_verification"] * 2


@pytest.mark.parametrize(
    ("use", "status"),
    [("verified", 200), ("staff", 403), ("imported", 403), ("inactive", 401)],
)
def test_register_with_the_address_of_an_account_in_use_changes_nothing(
    http: httpx.Client, required: None, use: str, status: int
) -> None:
    try_register(http, CAROL)
    user = User.objects.filter(email=CAROL)
    if use == "verified":
        verify(http, token=last_mail(CAROL).token)
    elif use == "staff":
        user.update(is_staff=True)
    elif use == "inactive":
        user.update(is_active=False)
    else:
        user.delete()
        User.objects.create_user(CAROL, PASSWORD)
    before = user.values("password", "credential_version", "username").get()
    assert try_register(http, CAROL, MALLORYS).status_code == 202
    assert user.values("password", "credential_version", "username").get() == before
    assert try_login(http, CAROL).status_code == status
    assert try_login(http, CAROL, MALLORYS).status_code == 401
