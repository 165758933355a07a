"""Attacks on e-mailed tokens and codes: other users, other purposes, old ones, guesses, poisoned headers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from django.db import connection

from latchkey.accounts.admin_actions import deactivate, reactivate, sign_out_everywhere
from latchkey.accounts.models import User
from latchkey.core.typed_codes import ALPHABET, generate_code, normalize_typed
from latchkey.email_codes.one_time_codes import CODE_LENGTH, GROUP_LENGTH, generate_token
from latchkey.mail.models import Mail
from latchkey.rate_limits.in_memory import MAX_PER_WINDOW, clear
from tests.outbox import SentMail, last_mail, sent_mails
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem
from tests.support.captured_log import CapturedLog
from tests.support.endpoints import nothing_changes

NEW = "seven purple trains to the sea"
ENDPOINTS = {
    "password_reset": "/api/password/reset/confirm/",
    "email_verification": "/api/email/verify/",
    "email_change": "/api/email/change/confirm/",
}
POISONED_HEADERS = {
    "Host": "127.0.0.1",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "Forwarded": "host=evil.example;proto=https",
    "X-Host": "evil.example",
    "Origin": "https://evil.example",
    "Referer": "https://evil.example/",
}


def request_reset(http: httpx.Client, email: str, **headers: str) -> httpx.Response:
    return http.post("/api/password/reset/", json={"email": email}, headers=headers)


def confirm_reset(http: httpx.Client, **fields: Any) -> httpx.Response:
    return http.post("/api/password/reset/confirm/", json={**fields, "new_password": NEW})


def mails_of_each_kind(person: Person) -> dict[str, SentMail]:
    """Send a mail of each kind to this person; return the mails by kind."""
    request_reset(person.http, person.email)
    person.http.post("/api/email/verify/resend/", json={"email": person.email})
    new = {"email": f"new-{person.email}", "password": person.password}
    person.http.post("/api/email/change/", json=new, headers=person.bearer())
    return {mail.kind: mail for mail in sent_mails() if person.email in mail.to}


@pytest.mark.ledger("ASVS-6.6.2", "REG-DJANGORESTREGISTRATION-01")
def test_emailed_token_and_code_work_for_one_purpose_and_one_user_only(alice: Person, bob: Person) -> None:
    hers, his = mails_of_each_kind(alice), mails_of_each_kind(bob)
    assert set(hers) == set(his) == set(ENDPOINTS)
    clear()
    for kind, mail in hers.items():
        for other, path in ENDPOINTS.items():
            more = {"new_password": NEW} if other == "password_reset" else {}
            who = {"email": bob.email} if other != "email_change" else {}
            with nothing_changes():
                if other != kind:
                    answer = alice.http.post(path, json={"token": mail.token, **more})
                    assert_problem(answer, 400, "invalid_code", ["body"])
                answer = bob.http.post(path, json={"code": mail.code, **who, **more}, headers=bob.bearer())
                assert_problem(answer, 400, "invalid_code", ["body"])


def set_password(person: Person) -> None:
    user = User.objects.get(pk=person.id)
    user.set_password(NEW)
    user.save()


def change_email_there_and_back(person: Person) -> None:
    for email in ("elsewhere@example.com", person.email):
        now = str(person.me().json()["email"])
        body = {"email": email, "password": PASSWORD}
        person.http.post("/api/email/change/", json=body, headers=person.bearer())
        assert now != email
        path = ENDPOINTS["email_change"]
        assert person.http.post(path, json={"token": last_mail(email).token}).status_code == 200


def change_password(person: Person) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert person.http.post("/api/password/change/", json=body, headers=person.bearer()).status_code == 200


def deactivate_and_reactivate(person: Person) -> None:
    deactivate([person.id])
    reactivate([person.id])


CHANGES: dict[str, Callable[[Person], Any]] = {
    "a new password": change_password,
    "a new password in the shell": set_password,
    "another address": lambda alice: User.objects.filter(pk=alice.id).update(email="elsewhere@example.com"),
    "another address and back": change_email_there_and_back,
    "the end of all sessions": lambda alice: sign_out_everywhere([alice.id]),
    "deactivation": lambda alice: deactivate([alice.id]),
    "deactivation and back": deactivate_and_reactivate,
    "a reset": lambda alice: confirm_reset(alice.http, token=last_mail(alice.email).token),
    "deletion": lambda alice: User.objects.get(pk=alice.id).delete(),
}


@pytest.mark.ledger("REG-DISCOURSE-01", "H-RACE-05")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_emailed_token_and_code_are_invalid_after_a_change_of_the_account(
    alice: Person, change: Callable[[Person], Any]
) -> None:
    request_reset(alice.http, alice.email)
    first = last_mail(alice.email)
    request_reset(alice.http, alice.email)
    change(alice)
    with nothing_changes_if_users_exist():
        for mail in (first, sent_mails(alice.email)[1]):
            for fields in ({"token": mail.token}, mail.code_fields):
                assert_problem(confirm_reset(alice.http, **fields), 400, "invalid_code", ["body"])


def nothing_changes_if_users_exist() -> Any:
    from contextlib import nullcontext

    return nothing_changes() if User.objects.exists() else nullcontext()


def test_reset_confirm_answers_every_invalid_token_or_code_byte_for_byte_alike(alice: Person) -> None:
    request_reset(alice.http, alice.email)
    spent = last_mail(alice.email)
    assert confirm_reset(alice.http, token=spent.token).status_code == 200
    fields = [{"token": spent.token}, {"token": "x"}, {"token": "x" * 64}, spent.code_fields]
    fields += [{"email": alice.email, "code": "0"}, {"email": "nobody@example.com", "code": "0000-0000"}]
    answers = [confirm_reset(alice.http, **each) for each in fields]
    assert {(answer.status_code, answer.content, tuple(answer.headers.raw)) for answer in answers} == {
        (400, answers[0].content, tuple(answers[0].headers.raw))
    }


@pytest.mark.ledger("ASVS-6.6.3", "REG-ALLAUTH-10", "NIST-4.2-2")
def test_five_wrong_codes_invalidate_the_code_but_not_the_link(alice: Person, from_address: Any) -> None:
    request_reset(alice.http, alice.email)
    sent = last_mail(alice.email)
    mallory = from_address("192.0.2.66")
    for number in range(5):
        assert_problem(confirm_reset(mallory, email=alice.email, code=f"000{number}"), 400, "invalid_code")
    assert_problem(confirm_reset(alice.http, **sent.code_fields), 400, "invalid_code")
    assert confirm_reset(alice.http, token=sent.token).status_code == 200


@pytest.mark.ledger("ASVS-6.6.3")
def test_new_mails_do_not_reset_the_rate_limit_of_wrong_codes(
    alice: Person, from_address: Any, set_policy: Callable[..., None]
) -> None:
    set_policy(failures_per_account=10)
    statuses = []
    for number in range(12):
        if number % 5 == 0:
            request_reset(alice.http, alice.email)
        statuses.append(
            confirm_reset(from_address(f"192.0.2.{number}"), email=alice.email, code=f"00{number}").status_code
        )
    assert statuses == [400] * 10 + [429] * 2
    unknown = [
        confirm_reset(from_address("192.0.2.66"), email="nobody@example.com", code="0").status_code for _ in range(11)
    ]
    assert unknown == [400] * 10 + [429]
    assert confirm_reset(alice.http, token=last_mail(alice.email).token).status_code == 200
    assert try_login(alice.http, password=NEW).status_code == 200


def test_reset_confirm_with_many_invalid_tokens_is_rate_limited_but_accepts_a_valid_one(alice: Person) -> None:
    request_reset(alice.http, alice.email)
    for _ in range(MAX_PER_WINDOW):
        assert_problem(confirm_reset(alice.http, token=generate_token()), 400, "invalid_code")
    assert_problem(confirm_reset(alice.http, token=generate_token()), 429, "too_many_attempts")
    assert confirm_reset(alice.http, token=last_mail(alice.email).token).status_code == 200


@pytest.mark.ledger("ASVS-6.5.4")
def test_codes_have_40_bits_and_tokens_256_bits_of_entropy() -> None:
    assert (len(set(ALPHABET)), CODE_LENGTH) == (32, 8)
    codes, tokens = (
        {generate_code(CODE_LENGTH, GROUP_LENGTH) for _ in range(1000)},
        {generate_token() for _ in range(1000)},
    )
    assert len(codes) == len(tokens) == 1000
    assert all(
        len(normalize_typed(code)) == CODE_LENGTH and set(normalize_typed(code)) <= set(ALPHABET) for code in codes
    )
    assert {len(token) for token in tokens} == {43}


@pytest.mark.ledger("ASVS-6.5.2")
def test_database_contains_no_usable_token_or_code(alice: Person, settings: Any) -> None:
    sent = mails_of_each_kind(alice)
    leaked = ""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            leaked += "".join(str([bytes(v) if isinstance(v, memoryview) else v for v in row]) for row in cursor)
    for mail in sent.values():
        assert not [secret for secret in (mail.token, mail.code, normalize_typed(mail.code)) if secret in leaked]
    settings.SECRET_KEY = "somebody else's, who tries all codes out"
    assert_problem(confirm_reset(alice.http, **sent["password_reset"].code_fields), 400, "invalid_code")


def test_tokens_and_codes_stay_valid_after_rotation_of_the_secret_key(alice: Person, settings: Any) -> None:
    sent = mails_of_each_kind(alice)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another secret, of this very hour", [settings.SECRET_KEY]
    verified = alice.http.post(ENDPOINTS["email_verification"], json=sent["email_verification"].code_fields)
    assert verified.status_code == 200
    assert confirm_reset(alice.http, token=sent["password_reset"].token).status_code == 200


@pytest.mark.ledger("CS-FP-4", "REG-KEYCLOAK-15", "REG-SUPABASEAUTH-01", "REG-ZITADEL-01", "ASVS-1.2.2")
@pytest.mark.parametrize("trusted_proxies", [0, 1])
def test_emailed_link_ignores_host_and_forwarded_headers(alice: Person, settings: Any, trusted_proxies: int) -> None:
    settings.PUBLIC_URL, settings.TRUSTED_PROXIES = "https://auth.example.com", trusted_proxies
    for number, (name, value) in enumerate(POISONED_HEADERS.items()):
        email = f"somebody-{number}@example.com"
        User.objects.create_user(email)
        assert request_reset(alice.http, email, **{name: value}).status_code == 202
        assert last_mail(email).link.startswith("https://auth.example.com/reset-password/?token=")
    assert "evil" not in str(sent_mails())


@pytest.mark.ledger("REG-DJANGO-34")
@pytest.mark.parametrize("alike", ["al\u0131ce@example.com", "alice@ex\u0430mple.com", "alice@example.com."])
def test_reset_request_for_a_lookalike_email_sends_no_mail(alice: Person, alike: str) -> None:
    assert request_reset(alice.http, alike).status_code in (202, 400)
    assert sent_mails() == []


@pytest.mark.parametrize("email", ["a@example.com\r\nBcc: x@example.com", "a@example.com\nX: y", "a@b.de,c@d.de"])
@pytest.mark.parametrize("path", ["/api/password/reset/", "/api/email/verify/resend/", "/api/register/"])
def test_endpoints_that_send_mail_reject_several_addresses_and_header_injection(
    alice: Person, set_policy: Callable[..., None], path: str, email: str
) -> None:
    set_policy(email_verification="required")
    answer = alice.http.post(path, json={"email": email, "password": PASSWORD})
    assert_problem(answer, 400, "invalid", ["email"])
    assert not Mail.objects.exists()


@pytest.mark.ledger("NIST-3.1.3", "ASVS-6.3.6")
def test_emailed_token_and_code_are_no_password_and_no_access_token(alice: Person) -> None:
    for kind, mail in mails_of_each_kind(alice).items():
        for secret in (mail.token, mail.code):
            assert_problem(try_login(alice.http, password=secret), 401, "invalid_credentials")
            assert_problem(replace(alice, access_token=secret).me(), 401, "invalid_token")
        fields: dict[str, Any] = {"token": mail.token} | ({"new_password": NEW} if kind == "password_reset" else {})
        answer = alice.http.post(ENDPOINTS[kind], json=fields)
        assert list(answer.json()) == (["success"] if answer.status_code == 200 else list(answer.json()))
        assert "token" not in answer.text


@pytest.mark.parametrize("path", ENDPOINTS.values())
def test_emailed_links_and_codes_are_not_logged(alice: Person, captured_log: CapturedLog, path: str) -> None:
    for mail in mails_of_each_kind(alice).values():
        for fields in ({"token": mail.token}, {"email": alice.email, "code": mail.code}):
            alice.http.post(path, json={**fields, "new_password": NEW})
        page = mail.link.partition("8000")[2]
        alice.http.get(page)
        alice.http.post(page, data={"token": mail.token})
        assert not [
            secret for secret in (mail.token, mail.code, normalize_typed(mail.code)) if secret in captured_log.text
        ]
    assert len(captured_log.lines()) > 10
