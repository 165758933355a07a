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
    """The mail that alice has asked for."""
    assert request_reset(alice.http, alice.email).status_code == 202
    return last_mail(alice.email)


@pytest.mark.ledger("CS-FP-1", "CS-FP-7")
def test_every_address_is_answered_alike_and_only_an_account_gets_mail(alice: Person) -> None:
    known, unknown = request_reset(alice.http, alice.email), request_reset(alice.http, "nobody@example.com")
    assert (known.status_code, known.headers["Content-Type"]) == (202, "application/json")
    assert list(known.json()) == ["detail"]
    assert known.content == unknown.content
    assert known.headers.raw == unknown.headers.raw
    assert [(mail.kind, mail.to) for mail in sent_mails()] == [("password_reset", alice.email)]
    assert alice.me().status_code == 200
    assert try_login(alice.http).status_code == 200


@pytest.mark.ledger("ASVS-1.2.2", "CS-FP-2", "ASVS-6.4.1")
def test_the_mail_has_a_link_to_our_page_and_a_code_to_type(sent: SentMail, settings: Any) -> None:
    link = urlsplit(sent.link)
    assert f"{link.scheme}://{link.netloc}" == settings.PUBLIC_URL
    assert (link.path, link.fragment) == ("/reset-password/", "")
    assert list(parse_qs(link.query, strict_parsing=True)) == ["token"]
    assert len(sent.token) == 43  # 256 bits in Base64
    assert (sent.context["minutes"], sent.context["username"]) == ("30", "")
    assert sent.context["expires_at"] == OneTimeCode.objects.get().expires_at.isoformat()  # later it is not sent at all


def test_the_address_is_read_in_any_spelling(alice: Person) -> None:
    assert request_reset(alice.http, "  ALICE@Example.com ").status_code == 202
    assert last_mail(alice.email).to == alice.email


@pytest.mark.parametrize("column", [{"is_active": False}])
def test_an_inactive_account_hears_nothing(alice: Person, column: dict[str, Any]) -> None:
    User.objects.filter(pk=alice.id).update(**column)
    assert request_reset(alice.http, alice.email).status_code == 202
    assert not Mail.objects.exists()
    assert not OneTimeCode.objects.exists()


@pytest.mark.ledger("ASVS-6.4.3", "CS-FP-6", "REG-DJOSER-02", "ASVS-6.5.1")
@pytest.mark.parametrize("by", ["link", "code"])
def test_what_was_sent_sets_a_password_once_and_signs_nobody_in(alice: Person, sent: SentMail, by: str) -> None:
    shown = {"token": sent.token} if by == "link" else sent.code_fields
    answer = confirm_reset(alice.http, **shown)
    assert (answer.status_code, answer.json()) == (200, {"success": "Password changed; sign in with the new one."})
    assert_problem(alice.me(), 401, "invalid_token")
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
    assert try_login(alice.http, password=NEW).status_code == 200
    for again in ({"token": sent.token}, sent.code_fields):
        assert_problem(confirm_reset(alice.http, "yet another password", **again), 400, "invalid_code", ["body"])
    assert try_login(alice.http, password=NEW).status_code == 200


def test_the_code_is_read_however_it_is_typed(alice: Person, sent: SentMail) -> None:
    typed = " ".join(sent.code.lower().replace("-", "").replace("0", "o").replace("1", "l"))
    assert confirm_reset(alice.http, email=" Alice@EXAMPLE.com", code=typed).status_code == 200


@pytest.mark.parametrize("weak", ["short", "x" * 257, "alice@example.com", "", None])
def test_a_password_that_is_refused_spends_nothing(alice: Person, sent: SentMail, weak: Any) -> None:
    for shown in ({"token": sent.token}, sent.code_fields):
        with nothing_changes():
            answer = confirm_reset(alice.http, weak, **shown)
            assert_problem(answer, 400, answer.json()["code"], ["new_password"])
    assert confirm_reset(alice.http, token=sent.token).status_code == 200


def test_the_mailbox_is_proven_with_it(alice: Person, sent: SentMail) -> None:
    assert User.objects.get().email_verified_at is None
    confirm_reset(alice.http, token=sent.token)
    proven = User.objects.get().email_verified_at
    assert proven is not None
    request_reset(alice.http, alice.email)
    assert confirm_reset(alice.http, token=last_mail(alice.email).token).status_code == 200
    assert User.objects.get().email_verified_at == proven  # since when, and not when last


def test_an_account_without_a_password_gets_one(alice: Person) -> None:
    User.objects.filter(pk=alice.id).update(password="!imported")
    request_reset(alice.http, alice.email)
    assert confirm_reset(alice.http, token=last_mail(alice.email).token).status_code == 200
    assert try_login(alice.http, password=NEW).status_code == 200


@pytest.mark.ledger("NIST-3.2.2-4")
@pytest.mark.parametrize("by", ["link", "code"])
def test_an_account_that_is_shut_by_guesses_is_opened_again(
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
def test_nothing_is_set_without_what_was_sent(alice: Person, sent: SentMail, shown: dict[str, Any]) -> None:
    with nothing_changes():
        assert_problem(confirm_reset(alice.http, **shown), 400, "invalid")
    assert confirm_reset(alice.http, token=sent.token).status_code == 200


@pytest.mark.ledger("NIST-4.2-1")
def test_half_an_hour_later_it_is_over(clock: time_machine.Traveller, alice: Person) -> None:
    request_reset(alice.http, alice.email)
    sent = last_mail(alice.email)
    clock.shift(timedelta(minutes=29, seconds=59))
    assert confirm_reset(alice.http, "short", token=sent.token).json()["code"] == "password_too_short"
    clock.shift(timedelta(seconds=1))
    for shown in ({"token": sent.token}, sent.code_fields):
        assert_problem(confirm_reset(alice.http, **shown), 400, "invalid_code")


def test_at_most_three_are_live_and_the_oldest_goes(clock: time_machine.Traveller, alice: Person) -> None:
    for _ in range(4):
        assert request_reset(alice.http, alice.email).status_code == 202
        clock.shift(timedelta(minutes=1))
    oldest, *rest = sent_mails(alice.email)
    assert OneTimeCode.objects.count() == 3
    assert_problem(confirm_reset(alice.http, token=oldest.token), 400, "invalid_code")
    for each in rest:
        assert confirm_reset(alice.http, "short", token=each.token).json()["code"] == "password_too_short"


@pytest.mark.ledger("CS-FP-3")
def test_a_mailbox_is_not_flooded_whether_there_is_an_account_or_not(
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


def test_one_place_cannot_write_to_everybody(alice: Person, set_policy: Callable[..., None]) -> None:
    set_policy(failures_per_address=5)
    told = [request_reset(alice.http, f"somebody-{number}@example.com").status_code for number in range(6)]
    assert told == [202] * 5 + [429]
    assert try_login(alice.http, password=PASSWORD).status_code == 200  # signing in is counted apart


def test_what_expired_is_deleted_by_the_next_mail_and_by_pruning(
    clock: time_machine.Traveller, alice: Person, bob: Person
) -> None:
    from io import StringIO

    from django.core.management import call_command

    for person in (alice, bob):
        request_reset(person.http, person.email)
    clock.shift(timedelta(minutes=30))
    request_reset(alice.http, alice.email)
    assert sorted(OneTimeCode.objects.values_list("user", flat=True)) == sorted([alice.id, bob.id])
    told = StringIO()
    call_command("prune", stdout=told, stderr=StringIO())
    assert "1 expired links and codes deleted." in told.getvalue()
    assert OneTimeCode.objects.get().user_id == alice.id


def test_what_is_counted_of_a_mailbox_tells_nobody_whose_it_is(alice: Person) -> None:
    request_reset(alice.http, alice.email)
    assert alice.email not in str(list(Attempt.objects.values()))
