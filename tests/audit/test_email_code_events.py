"""What is asked for and opened by mail is kept as events: in the transaction of what happens, or nothing happens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, connection

from latchkey.accounts.models import User
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
    """Return what is stored of people, links, codes and mails, and what is counted of mailboxes."""
    return [list(model.objects.order_by("pk").values()) for model in (User, OneTimeCode, Mail)] + [
        Attempt.objects.count()
    ]


def submit_token(alice: Person, kind: str, mails: dict[str, SentMail]) -> Any:
    shown = {"token": mails[kind].token} | ({"new_password": NEW} if kind == "password_reset" else {})
    return alice.http.post(ENDPOINTS[kind], json=shown)


@pytest.mark.parametrize("event", REQUEST_EVENTS)
def test_asking_for_a_mail_is_kept_with_who_is_asked_for(alice: Person, event: str) -> None:
    path, body = REQUEST_EVENTS[event]
    assert alice.http.post(path, json=body, headers=alice.bearer()).status_code == 202
    assert stored_events()[-1] == (event, alice.id, False)


@pytest.mark.parametrize("path", [path for path, _ in REQUEST_EVENTS.values()][:2])
def test_asking_for_a_mail_to_nobody_is_kept_without_anybody(alice: Person, path: str) -> None:
    assert alice.http.post(path, json={"email": "nobody@example.com"}).status_code == 202
    assert stored_events()[-1][0] in REQUEST_EVENTS
    assert stored_events()[-1][1:] == (None, False)


@pytest.mark.parametrize("kind", ENDPOINTS)
def test_what_a_mail_opens_is_kept_with_who_opened_it_and_whence(alice: Person, kind: str) -> None:
    mails = mails_of_each_kind(alice)
    before = AuditEvent.objects.count()
    assert submit_token(alice, kind, mails).status_code == 200
    events = AuditEvent.objects.order_by("id")[before:]
    assert [event.name for event in events] == CONFIRM_EVENTS[kind]
    assert {(event.user_id, event.ip) for event in events} == {(alice.id, "127.0.0.1")}


def test_a_change_of_the_password_is_kept_with_who_changed_it_and_whence(
    alice: Person, captured_log: CapturedLog
) -> None:
    before = AuditEvent.objects.count()
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert alice.http.post("/api/password/change/", json=body, headers=alice.bearer()).status_code == 200
    events = AuditEvent.objects.order_by("id")[before:]
    assert sorted(event.name for event in events) == ["login.succeeded", "password.changed"]
    assert {(event.user_id, event.ip) for event in events} == {(alice.id, "127.0.0.1")}
    assert [line["user_id"] for line in captured_log.lines("login.succeeded")] == [alice.id]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("event", REQUEST_EVENTS)
def test_where_the_event_cannot_be_kept_no_mail_is_written(alice: Person, event: str) -> None:
    path, body = REQUEST_EVENTS[event]
    before = stored_state()
    with table_missing("latchkey_event"):
        assert alice.http.post(path, json=body, headers=alice.bearer()).status_code >= 500
    assert stored_state() == before


@pytest.mark.django_db(transaction=True)
def test_where_the_event_cannot_be_kept_no_operator_sends_a_mail(alice: Person) -> None:
    before = stored_state()
    with table_missing("latchkey_event"), pytest.raises(DatabaseError):
        send_reset(alice.id, ClientInfo())
    assert stored_state() == before


def test_what_an_operator_does_is_kept_as_such(alice: Person) -> None:
    send_reset(alice.id, ClientInfo())
    mark_verified([alice.id])
    events = AuditEvent.objects.filter(detail="operator").order_by("id").values_list("name", "user_id")
    assert list(events) == [("password.reset_requested", alice.id), ("email.verified", alice.id)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verification", ["optional", "required"])
def test_where_the_mail_cannot_be_written_nobody_is_registered(
    alice: Person, set_policy: Callable[..., None], verification: str
) -> None:
    set_policy(email_verification=verification)
    with table_missing("latchkey_mail"):
        assert try_register(alice.http, "carol@example.com").status_code >= 500
    assert not User.objects.filter(email="carol@example.com").exists()
    assert try_register(alice.http, "carol@example.com").status_code in (201, 202)
    assert last_mail("carol@example.com").kind == "email_verification"


@pytest.mark.django_db(transaction=True)
def test_where_the_old_address_cannot_be_told_it_is_not_changed(alice: Person) -> None:
    mails = mails_of_each_kind(alice)
    before = stored_state()
    with table_missing("latchkey_mail"):
        assert submit_token(alice, "email_change", mails).status_code >= 500
    assert stored_state() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ENDPOINTS)
def test_where_the_event_cannot_be_kept_nothing_is_opened_or_spent(alice: Person, kind: str) -> None:
    mails = mails_of_each_kind(alice)
    before = stored_state()
    with table_missing("latchkey_event"):
        assert submit_token(alice, kind, mails).status_code >= 500
    assert stored_state() == before
    assert submit_token(alice, kind, mails).status_code == 200
