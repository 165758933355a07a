"""What happened is in the database as soon as it has happened, and not before."""

import pytest
from django.db import connection

from latchkey.audit.events import NOTIFIABLE, PERSISTED, Event
from latchkey.audit.models import AuditEvent
from latchkey.sessions.models import Session
from tests.people import Person, try_login, try_register


def stored_events() -> list[tuple[str, int | None, bool]]:
    rows = AuditEvent.objects.order_by("id")
    return [(row.name, row.user_id, row.session_id is not None) for row in rows]


def test_an_account_has_its_story(alice: Person) -> None:
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


def test_an_event_says_when_whence_and_why(alice: Person) -> None:
    session = Session.objects.get()
    alice.logout()
    event = AuditEvent.objects.get(name="session.ended")
    assert (event.session_id, event.ip, event.user_agent) == (session.pk, "127.0.0.1", alice.http.headers["User-Agent"])
    assert (event.detail, event.notification_pending) == ("logout", False)
    assert AuditEvent.objects.get(name="login.succeeded").notification_pending


def test_a_failed_login_at_no_account_is_kept_without_one(alice: Person) -> None:
    try_login(alice.http, "nobody@example.com")
    assert stored_events()[-1] == ("login.failed", None, False)


def test_what_strangers_cause_without_being_limited_fills_no_table(alice: Person) -> None:
    before = stored_events()
    for _ in range(3):
        alice.try_refresh("2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42")
        try_register(alice.http, "eve@example.com", "short")
    assert stored_events() == before
    assert {event.value for event in Event} - PERSISTED == {
        *("session.refreshed", "session.retried", "session.refused", "registration.refused", "service.refused"),
        *("rate_limit.exceeded", "hashing.overloaded"),
    }
    assert NOTIFIABLE <= PERSISTED


@pytest.mark.django_db(transaction=True)
def test_where_the_event_cannot_be_kept_nothing_happens(alice: Person) -> None:
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
