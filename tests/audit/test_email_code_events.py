"""Audit events of e-mail links and codes are stored in the transaction of what they record, or nothing is stored."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, connection

from latchkey.accounts.models import User
from latchkey.audit.log import Operator
from latchkey.audit.models import AuditEvent
from latchkey.core.client import ClientInfo
from latchkey.email_addresses.verify import mark_verified
from latchkey.email_codes.models import OneTimeCode
from latchkey.mail.models import Mail
from latchkey.passwords.reset import send_reset
from latchkey.rate_limits.models import Attempt
from tests.audit.test_persisted_events import stored_events
from tests.email_codes.test_links_and_codes import ENDPOINTS, NEW, mails_of_each_kind
from tests.outbox import SentMail, last_mail
from tests.people import PASSWORD, Person, try_register
from tests.support.captured_log import CapturedLog

REQUEST_EVENTS = {
    "password.reset_requested": ("/api/password/reset/", {"email": "alice@example.com"}),
    "email.verification_requested": ("/api/email/verify/resend/", {"email": "alice@example.com"}),
    "email.change_requested": ("/api/email/change/", {"email": "new@example.com", "password": PASSWORD}),
}
CONFIRM_EVENTS = {
    "email_verification": ["email.verified"],
    "email_change": ["email.changed"],
    "password_reset": ["password.changed", "password.reset"],
}


@contextmanager
def table_missing(table: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO latchkey_gone")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE latchkey_gone RENAME TO {table}")


def stored_state() -> list[Any]:
    """Return the rows of users, one-time codes and mails, and the number of rate limit rows."""
    return [list(model.objects.order_by("pk").values()) for model in (User, OneTimeCode, Mail)] + [
        Attempt.objects.count()
    ]


def submit_token(alice: Person, kind: str, mails: dict[str, SentMail]) -> Any:
    body = {"token": mails[kind].token} | ({"new_password": NEW} if kind == "password_reset" else {})
    return alice.http.post(ENDPOINTS[kind], json=body)


@pytest.mark.parametrize("event", REQUEST_EVENTS)
def test_request_for_a_mail_records_an_event_with_the_user(alice: Person, event: str) -> None:
    path, body = REQUEST_EVENTS[event]
    assert alice.http.post(path, json=body, headers=alice.bearer()).status_code == 202
    assert stored_events()[-1] == (event, alice.id, False)


@pytest.mark.parametrize("path", [path for path, _ in REQUEST_EVENTS.values()][:2])
def test_request_for_a_mail_to_an_unknown_email_records_an_event_without_a_user(alice: Person, path: str) -> None:
    assert alice.http.post(path, json={"email": "nobody@example.com"}).status_code == 202
    assert stored_events()[-1][0] in REQUEST_EVENTS
    assert stored_events()[-1][1:] == (None, False)


@pytest.mark.parametrize("kind", ENDPOINTS)
def test_confirmation_of_an_emailed_token_records_events_with_user_and_ip(alice: Person, kind: str) -> None:
    mails = mails_of_each_kind(alice)
    before = AuditEvent.objects.count()
    assert submit_token(alice, kind, mails).status_code == 200
    events = AuditEvent.objects.order_by("id")[before:]
    assert [event.name for event in events] == CONFIRM_EVENTS[kind]
    assert {(event.user_id, event.ip) for event in events} == {(alice.id, "127.0.0.1")}


def test_password_change_records_events_with_user_and_ip(alice: Person, captured_log: CapturedLog) -> None:
    before = AuditEvent.objects.count()
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert alice.http.post("/api/password/change/", json=body, headers=alice.bearer()).status_code == 200
    events = AuditEvent.objects.order_by("id")[before:]
    assert sorted(event.name for event in events) == ["login.succeeded", "password.changed"]
    assert {(event.user_id, event.ip) for event in events} == {(alice.id, "127.0.0.1")}
    assert [line["user_id"] for line in captured_log.lines("login.succeeded")] == [alice.id]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("event", REQUEST_EVENTS)
def test_request_for_a_mail_whose_event_cannot_be_stored_enqueues_no_mail(alice: Person, event: str) -> None:
    path, body = REQUEST_EVENTS[event]
    assert alice.http.post(path, json=body, headers=alice.bearer()).status_code == 202  # all counters have rows
    alice.login()  # on a known device from here on: its address has a counter for those
    before = stored_state()
    with table_missing("latchkey_event"):
        assert alice.http.post(path, json=body, headers=alice.bearer()).status_code >= 500
    assert stored_state() == before


@pytest.mark.django_db(transaction=True)
def test_admin_send_reset_whose_event_cannot_be_stored_enqueues_no_mail(alice: Person) -> None:
    before = stored_state()
    with table_missing("latchkey_event"), pytest.raises(DatabaseError):
        send_reset(alice.id)
    assert stored_state() == before


def test_admin_send_reset_and_verify_record_events_marked_operator(alice: Person) -> None:
    clerk = Operator(4711, ClientInfo("192.0.2.1"))
    send_reset(alice.id, clerk)
    mark_verified([alice.id], clerk)
    events = AuditEvent.objects.filter(detail="operator", actor_id=4711, ip="192.0.2.1").order_by("id")
    assert list(events.values_list("name", "user_id")) == [
        ("password.reset_requested", alice.id),
        ("email.verified", alice.id),
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verification", ["optional", "required"])
def test_register_whose_mail_cannot_be_stored_creates_no_user(
    alice: Person, set_policy: Callable[..., None], verification: str
) -> None:
    set_policy(email_verification=verification)
    with table_missing("latchkey_mail"):
        assert try_register(alice.http, "carol@example.com").status_code >= 500
    assert not User.objects.filter(email="carol@example.com").exists()
    assert try_register(alice.http, "carol@example.com").status_code in (201, 202)
    assert last_mail("carol@example.com").kind == "email_verification"


@pytest.mark.django_db(transaction=True)
def test_email_change_whose_notice_cannot_be_stored_changes_nothing(alice: Person) -> None:
    mails = mails_of_each_kind(alice)
    before = stored_state()
    with table_missing("latchkey_mail"):
        assert submit_token(alice, "email_change", mails).status_code >= 500
    assert stored_state() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ENDPOINTS)
def test_confirmation_whose_event_cannot_be_stored_consumes_no_token(alice: Person, kind: str) -> None:
    mails = mails_of_each_kind(alice)
    before = stored_state()
    with table_missing("latchkey_event"):
        assert submit_token(alice, kind, mails).status_code >= 500
    assert stored_state() == before
    assert submit_token(alice, kind, mails).status_code == 200
