"""POST /api/password/reset/ and POST /api/password/reset/confirm/"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.email_codes.models import OneTimeCode
from latchkey.mail.models import Mail
from latchkey.rate_limits.models import Attempt
from tests.outbox import SentMail, last_mail, sent_mails
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem
from tests.support.endpoints import nothing_changes

NEW = "seven purple trains to the sea"


def request_reset(http: httpx.Client, email: str, **headers: str) -> httpx.Response:
    return http.post("/api/password/reset/", json={"email": email}, headers=headers)


def confirm_reset(http: httpx.Client, new_password: Any = NEW, **shown: Any) -> httpx.Response:
    return http.post("/api/password/reset/confirm/", json={**shown, "new_password": new_password})


@pytest.fixture
def sent(alice: Person) -> SentMail:
    """The reset mail that alice has requested."""
    assert request_reset(alice.http, alice.email).status_code == 202
    return last_mail(alice.email)


@pytest.mark.ledger("CS-FP-1", "CS-FP-7")
def test_password_reset_answers_alike_for_any_address_and_mails_only_an_account(alice: Person) -> None:
    known, unknown = request_reset(alice.http, alice.email), request_reset(alice.http, "nobody@example.com")
    assert (known.status_code, known.headers["Content-Type"]) == (202, "application/json")
    assert list(known.json()) == ["detail"]
    assert known.content == unknown.content
    assert known.headers.raw == unknown.headers.raw
    assert [(mail.kind, mail.to) for mail in sent_mails()] == [("password_reset", alice.email)]
    assert alice.me().status_code == 200
    assert try_login(alice.http).status_code == 200


@pytest.mark.ledger("ASVS-1.2.2", "CS-FP-2", "ASVS-6.4.1")
def test_password_reset_mail_has_a_link_and_expires_with_its_code(sent: SentMail, settings: Any) -> None:
    link = urlsplit(sent.link)
    assert f"{link.scheme}://{link.netloc}" == settings.PUBLIC_URL
    assert (link.path, link.fragment) == ("/reset-password/", "")
    assert list(parse_qs(link.query, strict_parsing=True)) == ["token"]
    assert len(sent.token) == 43  # 256 bits in Base64
    assert (sent.context["minutes"], sent.context["username"]) == ("30", "")
    assert sent.context["expires_at"] == OneTimeCode.objects.get().expires_at.isoformat()  # an expired mail is not sent


def test_password_reset_normalizes_the_email_address(alice: Person) -> None:
    assert request_reset(alice.http, "  ALICE@Example.com ").status_code == 202
    assert last_mail(alice.email).to == alice.email


@pytest.mark.parametrize("column", [{"is_active": False}])
def test_password_reset_sends_no_mail_to_an_inactive_account(alice: Person, column: dict[str, Any]) -> None:
    User.objects.filter(pk=alice.id).update(**column)
    assert request_reset(alice.http, alice.email).status_code == 202
    assert not Mail.objects.exists()
    assert not OneTimeCode.objects.exists()


@pytest.mark.ledger("ASVS-6.4.3", "CS-FP-6", "REG-DJOSER-02", "ASVS-6.5.1")
@pytest.mark.parametrize("by", ["link", "code"])
def test_password_reset_confirm_works_once_ends_all_sessions_and_returns_no_tokens(
    alice: Person, sent: SentMail, by: str
) -> None:
    shown = {"token": sent.token} if by == "link" else sent.code_fields
    answer = confirm_reset(alice.http, **shown)
    assert (answer.status_code, answer.json()) == (200, {"success": "Password changed; sign in with the new one."})
    assert_problem(alice.me(), 401, "invalid_token")
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
    assert try_login(alice.http, password=NEW).status_code == 200
    for again in ({"token": sent.token}, sent.code_fields):
        assert_problem(confirm_reset(alice.http, "yet another password", **again), 400, "invalid_code", ["body"])
    assert try_login(alice.http, password=NEW).status_code == 200


def test_password_reset_confirm_accepts_a_code_typed_with_spaces_or_look_alikes(alice: Person, sent: SentMail) -> None:
    typed = " ".join(sent.code.lower().replace("-", "").replace("0", "o").replace("1", "l"))
    assert confirm_reset(alice.http, email=" Alice@EXAMPLE.com", code=typed).status_code == 200


@pytest.mark.parametrize("weak", ["short", "x" * 257, "alice@example.com", "", None])
def test_password_reset_confirm_with_a_weak_password_does_not_consume_the_code(
    alice: Person, sent: SentMail, weak: Any
) -> None:
    for shown in ({"token": sent.token}, sent.code_fields):
        with nothing_changes():
            answer = confirm_reset(alice.http, weak, **shown)
            assert_problem(answer, 400, answer.json()["code"], ["new_password"])
    assert confirm_reset(alice.http, token=sent.token).status_code == 200


def test_password_reset_confirm_verifies_the_email_address(alice: Person, sent: SentMail) -> None:
    assert User.objects.get().email_verified_at is None
    confirm_reset(alice.http, token=sent.token)
    proven = User.objects.get().email_verified_at
    assert proven is not None
    request_reset(alice.http, alice.email)
    assert confirm_reset(alice.http, token=last_mail(alice.email).token).status_code == 200
    assert User.objects.get().email_verified_at == proven  # the first verification counts, not the last


def test_password_reset_sets_the_first_password_of_an_imported_account(alice: Person) -> None:
    User.objects.filter(pk=alice.id).update(password="!imported")
    request_reset(alice.http, alice.email)
    assert confirm_reset(alice.http, token=last_mail(alice.email).token).status_code == 200
    assert try_login(alice.http, password=NEW).status_code == 200


@pytest.mark.ledger("NIST-3.2.2-4")
@pytest.mark.parametrize("by", ["link", "code"])
def test_password_reset_lifts_the_login_rate_limit_of_the_account(
    alice: Person, set_policy: Callable[..., None], by: str
) -> None:
    set_policy(failures_per_account=2)
    for _ in range(2):
        try_login(alice.http, password="a guess")
    assert_problem(try_login(alice.http), 429, "too_many_attempts")
    assert request_reset(alice.http, alice.email).status_code == 202
    sent = last_mail(alice.email)
    assert confirm_reset(alice.http, **({"token": sent.token} if by == "link" else sent.code_fields)).status_code == 200
    assert try_login(alice.http, password=NEW).status_code == 200


@pytest.mark.ledger("ASVS-2.3.1", "CS-REST-4", "REG-KEYCLOAK-03", "REG-DJANGO-39")
@pytest.mark.parametrize(
    "shown",
    [
        *({}, {"email": "alice@example.com"}, {"code": "0000-0000"}, {"token": ""}, {"token": None}, {"token": []}),
        *({"token": ["x"]}, {"token": {"x": "y"}}, {"token": True}, {"token": "x" * 10_000}, {"token": "x\x00"}),
        *({"token": "x", "code": "0000-0000"}, {"token": "x", "email": "alice@example.com", "code": "0000-0000"}),
        *({"email": "alice@example.com", "code": "x" * 17}, {"email": "no address", "code": "0000-0000"}),
    ],
)
def test_password_reset_confirm_refuses_missing_or_malformed_tokens_and_codes(
    alice: Person, sent: SentMail, shown: dict[str, Any]
) -> None:
    with nothing_changes():
        assert_problem(confirm_reset(alice.http, **shown), 400, "invalid")
    assert confirm_reset(alice.http, token=sent.token).status_code == 200


@pytest.mark.ledger("NIST-4.2-1")
def test_password_reset_token_and_code_expire_after_30_minutes(clock: time_machine.Traveller, alice: Person) -> None:
    request_reset(alice.http, alice.email)
    sent = last_mail(alice.email)
    clock.shift(timedelta(minutes=29, seconds=59))
    assert confirm_reset(alice.http, "short", token=sent.token).json()["code"] == "password_too_short"
    clock.shift(timedelta(seconds=1))
    for shown in ({"token": sent.token}, sent.code_fields):
        assert_problem(confirm_reset(alice.http, **shown), 400, "invalid_code")


def test_password_reset_keeps_at_most_the_three_newest_codes_valid(
    clock: time_machine.Traveller, alice: Person
) -> None:
    for _ in range(4):
        assert request_reset(alice.http, alice.email).status_code == 202
        clock.shift(timedelta(minutes=1))
    oldest, *rest = sent_mails(alice.email)
    assert OneTimeCode.objects.count() == 3
    assert_problem(confirm_reset(alice.http, token=oldest.token), 400, "invalid_code")
    for each in rest:
        assert confirm_reset(alice.http, "short", token=each.token).json()["code"] == "password_too_short"


@pytest.mark.slow
@pytest.mark.ledger("CS-FP-3")
def test_password_reset_rate_limits_mails_per_address_with_or_without_an_account(
    clock: time_machine.Traveller, alice: Person
) -> None:
    for email in (alice.email, "nobody@example.com"):
        assert [request_reset(alice.http, email).status_code for _ in range(4)] == [202, 202, 202, 429]
    known, unknown = request_reset(alice.http, alice.email), request_reset(alice.http, "nobody@example.com")
    assert_problem(known, 429, "too_many_attempts")
    assert known.headers.raw == unknown.headers.raw
    assert known.content == unknown.content
    for _ in range(240):  # four hours long, every minute
        clock.shift(timedelta(minutes=1))
        request_reset(alice.http, alice.email)
    assert 10 < len(sent_mails(alice.email)) <= 18  # a few at once, then about two in an hour


def test_password_reset_rate_limits_requests_per_ip_address(alice: Person, set_policy: Callable[..., None]) -> None:
    set_policy(failures_per_address=5)
    statuses = [request_reset(alice.http, f"somebody-{number}@example.com").status_code for number in range(6)]
    assert statuses == [202] * 5 + [429]
    assert try_login(alice.http, password=PASSWORD).status_code == 200  # logins have a counter of their own


def test_expired_password_reset_codes_are_deleted_by_the_next_request_and_by_prune(
    clock: time_machine.Traveller, alice: Person, bob: Person
) -> None:
    from io import StringIO

    from django.core.management import call_command

    for person in (alice, bob):
        request_reset(person.http, person.email)
    clock.shift(timedelta(minutes=30))
    request_reset(alice.http, alice.email)
    assert sorted(OneTimeCode.objects.values_list("user", flat=True)) == sorted([alice.id, bob.id])
    output = StringIO()
    call_command("prune", stdout=output, stderr=StringIO())
    assert "1 expired links and codes deleted." in output.getvalue()
    assert OneTimeCode.objects.get().user_id == alice.id


def test_password_reset_rate_limit_table_stores_no_email_address(alice: Person) -> None:
    request_reset(alice.http, alice.email)
    assert alice.email not in str(list(Attempt.objects.values()))
