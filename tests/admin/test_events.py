"""The list of events: found by whose, whence, what and when; read by those with permission, changed by nobody."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.audit.models import AuditEvent
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.sessions.models import Session
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import Person
from tests.support.admin_pages import EVENTS, SESSIONS, Browser, user_page


def found(browser: Browser, **query: Any) -> list[tuple[str, int | None]]:
    """Return what the list shows, as names and ids of users."""
    answer = browser.get(EVENTS, query)
    assert answer.status_code == 200
    return [(event.name, event.user_id) for event in answer.context["cl"].result_list]


def event_page(event: AuditEvent, page: str = "change") -> str:
    return f"{EVENTS}{event.pk}/{page}/"


def test_the_list_shows_the_newest_first_with_who_and_which_device(admin: Browser, alice: Person) -> None:
    alice.logout()
    shown = found(admin)
    assert shown[:3] == [("session.ended", alice.id), ("login.succeeded", alice.id), ("user.registered", alice.id)]
    page = admin.get(EVENTS).text
    assert f'<a href="{user_page(alice.id)}">{alice.email}</a>' in page
    assert SUPERUSER_EMAIL in page
    assert "127.0.0.1" in page


@pytest.mark.parametrize("typed", ["alice@example.com", " ALICE@Example.com "])
def test_events_are_found_by_e_mail_address(admin: Browser, alice: Person, bob: Person, typed: str) -> None:
    assert {user for _, user in found(admin, q=typed)} == {alice.id}


def test_events_are_found_by_user_session_address_name_and_day(admin: Browser, alice: Person, bob: Person) -> None:
    record(Event.SESSION_ENDED, ClientInfo("2001:db8::7", ""), user_id=alice.id)
    AuditEvent.objects.filter(name="user.registered", user_id=bob.id).update(at=clock.now() - timedelta(days=9))
    day = f"{clock.now() - timedelta(days=9):%Y-%m-%d}"
    session = Session.objects.get(user=alice.id)
    assert {user for _, user in found(admin, q=str(bob.id))} == {bob.id}
    assert found(admin, q=str(session.pk).zfill(19)) == [("login.succeeded", alice.id)]
    assert found(admin, q="2001:DB8:0::7") == [("session.ended", alice.id)]
    assert {name for name, _ in found(admin, q="login")} == {"login.succeeded", "admin_login.succeeded"}
    assert found(admin, q=day) == [("user.registered", bob.id)]
    assert found(admin, q=f"{bob.id} {day}") == [("user.registered", bob.id)]
    assert found(admin, q=f"{alice.id} {day}") == []


@pytest.mark.parametrize(
    "typed",
    ["nobody@example.com", "9" * 19, "9" * 5000, "2026-13-01", "300.1.1.1", "%", "'; --", "argon2", "0001-01-01"],
)
def test_what_nothing_is_called_finds_nothing(admin: Browser, alice: Person, typed: str) -> None:
    assert found(admin, q=typed) == []


def test_filters_narrow_by_event_and_by_time_and_ignore_what_is_no_choice(admin: Browser, alice: Person) -> None:
    AuditEvent.objects.filter(name="user.registered").update(at=clock.now() - timedelta(hours=2))
    assert found(admin, event="user.registered") == [("user.registered", alice.id)]
    assert found(admin, event="user.registered", hours="1") == []
    assert found(admin, event="user.registered", hours="24") == [("user.registered", alice.id)]
    assert len(found(admin, event="x", hours="x")) == len(found(admin)) == 3


@pytest.mark.ledger("ASVS-16.4.2")
def test_nobody_adds_changes_or_deletes_an_event(admin: Browser, alice: Person) -> None:
    before = list(AuditEvent.objects.values())
    event = AuditEvent.objects.latest("pk")
    assert admin.get(event_page(event)).status_code == 200
    for answer in (
        admin.get(f"{EVENTS}add/"),
        admin.post(event_page(event), {"name": "x"}),
        admin.get(event_page(event, "delete")),
        admin.post(event_page(event, "delete"), {"post": "yes"}),
    ):
        assert answer.status_code == 403
    sent = {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"}
    assert admin.post(EVENTS, sent).status_code in (200, 302, 403)
    assert list(AuditEvent.objects.values()) == before


@pytest.mark.ledger("ASVS-16.4.2")
def test_staff_read_events_with_permission_alone(admin: Browser, staff: Callable[..., Browser], alice: Person) -> None:
    clerk = staff("view_user")
    assert clerk.get(EVENTS).status_code == 403
    assert "login.succeeded" not in clerk.get(user_page(alice.id)).text
    User.objects.get(email="clerk@example.com").delete()
    assert "login.succeeded" in staff("view_auditevent").get(EVENTS).text


def test_the_list_is_never_counted_and_sorted_by_nothing_else(
    admin: Browser, alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    for query in ({}, {"o": "2"}, {"q": alice.email}, {"all": ""}):
        sent = [sql for sql in statements(lambda query=query: admin.get(EVENTS, query)) if "latchkey_event" in sql]
        assert len(sent) == 1
        assert "COUNT(" not in sent[0]
        assert 'ORDER BY "latchkey_event"."id" DESC LIMIT' in sent[0]


def test_events_of_somebody_who_is_gone_are_found_by_id(admin: Browser, alice: Person) -> None:
    User.objects.get(pk=alice.id).delete()
    assert ("login.succeeded", alice.id) in found(admin, q=str(alice.id))
    assert f"{alice.id}, who is gone" in admin.get(EVENTS, {"q": str(alice.id)}).text


def test_a_users_page_shows_devices_and_events_and_ends_one_device(admin: Browser, alice: Person, bob: Person) -> None:
    laptop = Person(alice.http, alice.email).login()
    session = Session.objects.filter(user=alice.id).latest("created_at")
    page = admin.get(user_page(alice.id)).text
    assert page.count("End session") == 2
    assert "login.succeeded" in page
    assert f'href="{EVENTS}?q={alice.id}"' in page
    assert f"{SESSIONS}{session.pk}/delete/?user={alice.id}" in page
    answer = admin.post(f"{SESSIONS}{session.pk}/delete/?user={alice.id}", {"post": "yes"})
    assert answer.url == user_page(alice.id)
    assert [laptop.me().status_code, alice.me().status_code, bob.me().status_code] == [401, 200, 200]


@pytest.mark.parametrize("user", ["", "x", "//evil.example", "1/../../", "٣"])
def test_ending_a_session_leads_nowhere_else(admin: Browser, alice: Person, user: str) -> None:
    session = Session.objects.get(user=alice.id)
    answer = admin.post(f"{SESSIONS}{session.pk}/delete/", {"post": "yes"}, query_params={"user": user})
    assert answer.url == SESSIONS


def test_the_buttons_of_a_users_page_do_what_the_list_does_and_lead_back(admin: Browser, alice: Person) -> None:
    page = user_page(alice.id)
    offered = admin.get(page).context["user_actions"]
    assert list(offered) == ["deactivate_users", "end_sessions", "reset_rate_limits", "send_reset_links", "verify"]
    pressed = {"action": "deactivate_users", "_selected_action": [alice.id], "back": "1"}
    answer = admin.post("/admin/latchkey/user/", pressed)
    assert answer.url == page
    assert alice.me().status_code == 401
    assert "reactivate_users" in admin.get(page).context["user_actions"]


def test_staff_are_offered_no_button_that_would_be_refused(
    admin: Browser, staff: Callable[..., Browser], alice: Person
) -> None:
    clerk = staff("view_user", "change_user")
    boss = User.objects.get(email=SUPERUSER_EMAIL)
    assert "offered" in clerk.get(user_page(alice.id)).context
    assert "offered" not in clerk.get(user_page(boss.pk)).context
    assert "devices" not in clerk.get(user_page(alice.id)).context
