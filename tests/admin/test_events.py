"""The list of audit events in the admin: search, filters, and read-only access with permission."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from latchkey.accounts.admin_actions import reset_rate_limits
from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import Operator, record
from latchkey.audit.models import AuditEvent
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.sessions.models import Session
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.operations.test_indexes import capture_statements, query_plan
from tests.people import Person
from tests.support.admin_pages import EVENTS, SESSIONS, Browser, user_page


def listed_events(browser: Browser, **query: Any) -> list[tuple[str, int | None]]:
    """Return the events of the list as pairs of name and user id."""
    answer = browser.get(EVENTS, query)
    assert answer.status_code == 200
    return [(event.name, event.user_id) for event in answer.context["cl"].result_list]


def event_page(event: AuditEvent, page: str = "change") -> str:
    return f"{EVENTS}{event.pk}/{page}/"


def test_admin_event_list_shows_newest_events_first_with_user_and_address(admin: Browser, alice: Person) -> None:
    alice.logout()
    shown = listed_events(admin)
    assert shown[:3] == [("session.ended", alice.id), ("login.succeeded", alice.id), ("user.registered", alice.id)]
    page = admin.get(EVENTS).text
    assert f'<a href="{user_page(alice.id)}">{alice.email}</a>' in page
    assert SUPERUSER_EMAIL in page
    assert "127.0.0.1" in page


@pytest.mark.parametrize("typed", ["alice@example.com", " ALICE@Example.com "])
def test_admin_event_search_finds_events_by_email_address(
    admin: Browser, alice: Person, bob: Person, typed: str
) -> None:
    assert {user for _, user in listed_events(admin, q=typed)} == {alice.id}


def test_admin_event_search_finds_events_by_user_session_ip_name_and_day(
    admin: Browser, alice: Person, bob: Person
) -> None:
    record(Event.SESSION_ENDED, ClientInfo("2001:db8::7", ""), user_id=alice.id)
    AuditEvent.objects.filter(name="user.registered", user_id=bob.id).update(at=clock.now() - timedelta(days=9))
    day = f"{clock.now() - timedelta(days=9):%Y-%m-%d}"
    session = Session.objects.get(user=alice.id)
    assert {user for _, user in listed_events(admin, q=str(bob.id))} == {bob.id}
    assert listed_events(admin, q=str(session.pk).zfill(19)) == [("login.succeeded", alice.id)]
    assert listed_events(admin, q="2001:DB8:0::7") == [("session.ended", alice.id)]
    assert {name for name, _ in listed_events(admin, q="login")} == {"login.succeeded", "admin_login.succeeded"}
    assert listed_events(admin, q=day) == [("user.registered", bob.id)]
    assert listed_events(admin, q=f"{bob.id} {day}") == [("user.registered", bob.id)]
    assert listed_events(admin, q=f"{alice.id} {day}") == []


@pytest.mark.parametrize(
    "typed",
    ["nobody@example.com", "9" * 19, "9" * 5000, "2026-13-01", "300.1.1.1", "%", "'; --", "argon2", "0001-01-01"],
)
def test_admin_event_search_for_an_unmatched_term_finds_nothing(admin: Browser, alice: Person, typed: str) -> None:
    assert listed_events(admin, q=typed) == []


def test_admin_event_filters_select_by_name_and_time_and_ignore_invalid_values(admin: Browser, alice: Person) -> None:
    AuditEvent.objects.filter(user_id=User.objects.get(email=SUPERUSER_EMAIL).pk, name="user.registered").delete()
    AuditEvent.objects.filter(name="user.registered").update(at=clock.now() - timedelta(hours=2))
    assert listed_events(admin, event="user.registered") == [("user.registered", alice.id)]
    assert listed_events(admin, event="user.registered", hours="1") == []
    assert listed_events(admin, event="user.registered", hours="24") == [("user.registered", alice.id)]
    assert len(listed_events(admin, event="x", hours="x")) == len(listed_events(admin)) == 3


@pytest.mark.ledger("ASVS-16.4.2")
def test_admin_does_not_add_change_or_delete_audit_events(admin: Browser, alice: Person) -> None:
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
def test_admin_event_list_is_shown_to_staff_only_with_permission(
    admin: Browser, staff: Callable[..., Browser], alice: Person
) -> None:
    clerk = staff("view_user")
    assert clerk.get(EVENTS).status_code == 403
    assert "login.succeeded" not in clerk.get(user_page(alice.id)).text
    User.objects.get(email="clerk@example.com").delete()
    assert "login.succeeded" in staff("view_auditevent").get(EVENTS).text


def test_admin_event_list_never_counts_rows_and_sorts_by_id_only(
    admin: Browser, alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    for query in ({}, {"o": "2"}, {"q": alice.email}, {"all": ""}):
        executed = [sql for sql in statements(partial(admin.get, EVENTS, query)) if "latchkey_event" in sql]
        assert len(executed) == 1
        assert "COUNT(" not in executed[0]
        assert 'ORDER BY "latchkey_event"."id" DESC LIMIT' in executed[0]


def test_admin_event_search_finds_events_of_a_deleted_user_by_id(admin: Browser, alice: Person) -> None:
    User.objects.get(pk=alice.id).delete()
    assert ("login.succeeded", alice.id) in listed_events(admin, q=str(alice.id))
    assert f"{alice.id} (deleted)" in admin.get(EVENTS, {"q": str(alice.id)}).text


def test_admin_user_page_shows_sessions_and_events_and_ends_one_session(
    admin: Browser, alice: Person, bob: Person
) -> None:
    laptop = Person(alice.http, alice.email).login()
    session = Session.objects.filter(user=alice.id).latest("created_at")
    page = admin.get(user_page(alice.id)).text
    assert page.count("End session") == 2
    assert "login.succeeded" in page
    assert f'href="{EVENTS}?q={alice.id}"' in page
    assert f"{SESSIONS}{session.pk}/delete/?user={alice.id}" in page
    answer = admin.post(f"{SESSIONS}{session.pk}/delete/?user={alice.id}", {"post": "yes"})
    assert answer["Location"] == user_page(alice.id)
    assert [laptop.me().status_code, alice.me().status_code, bob.me().status_code] == [401, 200, 200]


@pytest.mark.parametrize("user", ["", "x", "//evil.example", "1/../../", "٣"])
def test_admin_end_session_does_not_redirect_to_an_invalid_user_parameter(
    admin: Browser, alice: Person, user: str
) -> None:
    session = Session.objects.get(user=alice.id)
    answer = admin.post(f"{SESSIONS}{session.pk}/delete/", {"post": "yes"}, query_params={"user": user})
    assert answer["Location"] == SESSIONS


def test_admin_user_page_buttons_run_the_list_actions_and_redirect_back(admin: Browser, alice: Person) -> None:
    page = user_page(alice.id)
    offered = admin.get(page).context["user_actions"]
    actions = ["deactivate_users", "end_sessions", "reset_rate_limits", "send_reset_links", "verify", "grant_role"]
    assert list(offered) == actions
    form = {"action": "deactivate_users", "_selected_action": [alice.id], "back": "1", "post": "yes"}
    answer = admin.post("/admin/latchkey/user/", form)
    assert answer["Location"] == page
    assert alice.me().status_code == 401
    assert "reactivate_users" in admin.get(page).context["user_actions"]


def test_admin_user_page_shows_staff_only_the_actions_that_they_may_run(
    admin: Browser, staff: Callable[..., Browser], alice: Person
) -> None:
    clerk = staff("view_user", "change_user")
    boss = User.objects.get(email=SUPERUSER_EMAIL)
    assert "user_actions" in clerk.get(user_page(alice.id)).context
    assert "user_actions" not in clerk.get(user_page(boss.pk)).context
    assert "devices" not in clerk.get(user_page(alice.id)).context


def test_admin_event_list_shows_and_finds_what_an_application_did(admin: Browser, alice: Person, bob: Person) -> None:
    crm = Operator(client=ClientInfo("192.0.2.9", "crm/1.0"), client_id="crm")
    reset_rate_limits([alice.id], crm)
    reset_rate_limits([bob.id], replace(crm, client_id="crm-2"))
    assert listed_events(admin, q="crm") == [("rate_limit.reset", alice.id)]
    page = admin.get(EVENTS, {"q": "crm"}).text
    assert "crm (application)" in page
    assert "192.0.2.9" in page
    assert listed_events(admin, q=f"crm {alice.email}") == [("rate_limit.reset", alice.id)]
    assert listed_events(admin, q=f"crm {bob.email}") == []
    assert listed_events(admin, q="crm-3") == []


def test_admin_event_search_finds_event_names_beside_an_application_of_that_name(admin: Browser, alice: Person) -> None:
    reset_rate_limits([alice.id], Operator(client=ClientInfo("192.0.2.9", ""), client_id="login"))
    assert {name for name, _ in listed_events(admin, q="login")} == {
        "login.succeeded",
        "admin_login.succeeded",
        "rate_limit.reset",
    }


def test_admin_event_search_by_application_uses_an_index(admin: Browser, alice: Person) -> None:
    reset_rate_limits([alice.id], Operator(client=ClientInfo("192.0.2.9", ""), client_id="crm"))
    searched = [
        statement
        for statement in capture_statements(lambda: admin.get(EVENTS, {"q": "crm"}))
        if '"client_id" = ' in statement[0]
    ]
    assert len(searched) == 2  # whether there is such an event, and the page
    for statement in searched:
        assert "latchkey_event_of_client" in query_plan(statement), statement
