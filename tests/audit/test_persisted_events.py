"""Audit events are stored in the transaction of what they record: never without it, never later."""

import pytest
from django.db import connection

from latchkey.audit.events import NOTIFIABLE, PERSISTED, Event
from latchkey.audit.models import AuditEvent
from latchkey.sessions.models import Session
from tests.people import Person, try_login, try_register


def stored_events() -> list[tuple[str, int | None, bool]]:
    rows = AuditEvent.objects.order_by("id")
    return [(row.name, row.user_id, row.session_id is not None) for row in rows]


def test_audit_log_records_registration_logins_replay_and_logout_in_order(alice: Person) -> None:
    try_login(alice.http, password="a wrong password")
    spent = alice.refresh_token
    alice.refresh().refresh()
    alice.try_refresh(spent)
    alice.login().logout()
    assert stored_events() == [
        ("user.registered", alice.id, False),
        ("login.succeeded", alice.id, True),
        ("login.failed", alice.id, False),
        ("session.replayed", alice.id, True),
        ("login.succeeded", alice.id, True),
        ("session.ended", alice.id, True),
    ]


def test_audit_event_records_session_ip_user_agent_and_reason(alice: Person) -> None:
    session = Session.objects.get()
    alice.logout()
    event = AuditEvent.objects.get(name="session.ended")
    assert (event.session_id, event.ip, event.user_agent) == (session.pk, "127.0.0.1", alice.http.headers["User-Agent"])
    assert (event.detail, event.notification_pending) == ("logout", False)
    assert AuditEvent.objects.get(name="login.succeeded").notification_pending


def test_failed_login_with_an_unknown_email_records_an_event_without_a_user(alice: Person) -> None:
    try_login(alice.http, "nobody@example.com")
    assert stored_events()[-1] == ("login.failed", None, False)


def test_events_that_anonymous_requests_cause_without_rate_limit_are_not_stored(alice: Person) -> None:
    before = stored_events()
    for _ in range(3):
        alice.try_refresh("2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42")
        try_register(alice.http, "eve@example.com", "short")
    assert stored_events() == before
    assert {event.value for event in Event} - PERSISTED == {
        *("session.refreshed", "session.retried", "session.refused", "registration.refused", "service.refused"),
        *("rate_limit.exceeded", "hashing.overloaded", "api_key.refused", "token.issued"),
    }
    assert NOTIFIABLE <= PERSISTED


@pytest.mark.django_db(transaction=True)
def test_logout_login_and_register_whose_event_cannot_be_stored_change_nothing(alice: Person) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE latchkey_event RENAME TO latchkey_gone")
    try:
        for answer in (alice.logout(), try_login(alice.http), try_register(alice.http, "bob@example.com")):
            assert answer.status_code >= 500  # what a table that is missing is called depends on the database
            assert answer.json()["code"] in ("unavailable", "server_error")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE latchkey_gone RENAME TO latchkey_event")
    assert alice.me().status_code == 200
    assert Session.objects.count() == 1
    assert try_register(alice.http, "bob@example.com").status_code == 201
