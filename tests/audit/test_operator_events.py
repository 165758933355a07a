"""Every change by an operator is an event with the operator and the operator's address; the user sees neither."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import Operator
from latchkey.audit.models import AuditEvent
from latchkey.audit.policy_changes import loggable
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.mail.models import Mail, MailKind
from latchkey.mail.notices import process_pending
from latchkey.mail.outbox import enqueue
from latchkey.mail.queue import lease
from latchkey.profile.erasure import erase
from latchkey.sessions.models import Session
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.outbox import last_mail
from tests.people import PASSWORD, Person
from tests.support.admin_pages import (
    EVENTS,
    MAILS,
    SESSIONS,
    USERS,
    Browser,
    run_action,
    save_settings,
    save_user,
    user_page,
)
from tests.support.captured_log import CapturedLog

NEW = {"password1": "a new long password", "password2": "a new long password"}
ADDRESS = "127.0.0.1"


def boss() -> User:
    return User.objects.get(email=SUPERUSER_EMAIL)


def operator_events() -> list[tuple[str, int | None, str]]:
    """Return name, user and reason of the events with the superuser as the operator, each with the address."""
    events = AuditEvent.objects.filter(actor_id=boss().pk).order_by("id")
    assert {event.ip for event in events} <= {ADDRESS}
    return [(event.name, event.user_id, event.detail) for event in events]


def end_one_session(admin: Browser, user_id: int) -> None:
    admin.post(f"{SESSIONS}{Session.objects.get(user=user_id).pk}/delete/", {"post": "yes"})


def end_selected_sessions(admin: Browser, user_id: int) -> None:
    run_action(admin, SESSIONS, "delete_selected", Session.objects.get(user=user_id).pk, post="yes")


CHANGES: dict[str, tuple[Callable[[Browser, int], Any], list[tuple[str, str]]]] = {
    "superuser": (
        lambda admin, user_id: save_user(admin, user_id, is_superuser="on", is_staff="on"),
        [("user.privileges_changed", "staff: on"), ("user.privileges_changed", "superuser: on")],
    ),
    "e-mail": (
        lambda admin, user_id: save_user(admin, user_id, email="x@example.com"),
        [("email.changed", "operator")],
    ),
    "display name": (
        lambda admin, user_id: save_user(admin, user_id, username="Alice L."),
        [("user.display_name_changed", "operator")],
    ),
    "inactive": (lambda admin, user_id: save_user(admin, user_id, is_active=None), [("user.deactivated", "operator")]),
    "password": (
        lambda admin, user_id: admin.post(user_page(user_id, "password"), NEW),
        [("password.changed", "operator")],
    ),
    "deletion": (
        lambda admin, user_id: admin.post(user_page(user_id, "delete"), {"post": "yes"}),
        [("user.deleted", "operator")],
    ),
    "deletion of several": (
        lambda admin, user_id: run_action(admin, USERS, "delete_selected", user_id, post="yes"),
        [("user.deleted", "operator")],
    ),
    "deactivate": (
        lambda admin, user_id: run_action(admin, USERS, "deactivate_users", user_id),
        [("user.deactivated", "operator")],
    ),
    "end all sessions": (
        lambda admin, user_id: run_action(admin, USERS, "end_sessions", user_id),
        [("user.signed_out_everywhere", "operator")],
    ),
    "unlock": (
        lambda admin, user_id: run_action(admin, USERS, "reset_rate_limits", user_id),
        [("rate_limit.reset", "operator")],
    ),
    "verify": (lambda admin, user_id: run_action(admin, USERS, "verify", user_id), [("email.verified", "operator")]),
    "reset mail": (
        lambda admin, user_id: run_action(admin, USERS, "send_reset_links", user_id),
        [("password.reset_requested", "operator")],
    ),
    "session": (end_one_session, [("session.ended", "admin")]),
    "sessions": (end_selected_sessions, [("session.ended", "admin")]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_change_by_an_operator_records_an_event_with_the_operator(
    admin: Browser, alice: Person, captured_log: CapturedLog, change: str
) -> None:
    act, expected = CHANGES[change]
    act(admin, alice.id)
    assert operator_events() == [(name, alice.id, reason) for name, reason in expected]
    for name, reason in expected:
        line = next(line for line in captured_log.lines(name) if line["reason"] == reason)
        assert (line["actor_id"], line["user_id"], line["ip"]) == (boss().pk, alice.id, ADDRESS)


def test_page_that_is_saved_without_a_change_records_no_event(admin: Browser, alice: Person) -> None:
    save_user(admin, alice.id)
    save_settings(admin)
    assert operator_events() == []


def test_reactivation_by_form_and_by_action_records_the_same_event(admin: Browser, alice: Person) -> None:
    User.objects.filter(pk=alice.id).update(is_active=False)
    save_user(admin, alice.id, is_active="on")
    User.objects.filter(pk=alice.id).update(is_active=False)
    run_action(admin, USERS, "reactivate_users", alice.id)
    assert operator_events() == [("user.reactivated", alice.id, "operator")] * 2


def test_user_added_by_an_operator_is_recorded_as_registered(admin: Browser) -> None:
    admin.post(f"{USERS}add/", {"email": "carol@example.com", "username": "", **NEW})
    carol = User.objects.get(email="carol@example.com")
    assert operator_events() == [("user.registered", carol.pk, "operator")]


def test_groups_and_permissions_of_a_user_are_recorded_by_name(admin: Browser, alice: Person) -> None:
    group, permission = Group.objects.create(name="operators"), Permission.objects.get(codename="view_user")
    save_user(admin, alice.id, groups=[group.pk], user_permissions=[permission.pk])
    save_user(admin, alice.id, groups=[], user_permissions=[permission.pk])
    assert operator_events() == [
        ("user.privileges_changed", alice.id, "groups: operators"),
        ("user.privileges_changed", alice.id, "permissions: view_user"),
        ("user.privileges_changed", alice.id, "groups: none"),
    ]


def test_groups_that_are_added_changed_and_deleted_are_recorded(admin: Browser) -> None:
    permission = Permission.objects.get(codename="view_user")
    admin.post("/admin/auth/group/add/", {"name": "operators"})
    group = Group.objects.get()
    page = f"/admin/auth/group/{group.pk}/"
    admin.post(f"{page}change/", {"name": "operators", "permissions": [permission.pk]})
    admin.post(f"{page}change/", {"name": "support", "permissions": [permission.pk]})
    admin.post(f"{page}delete/", {"post": "yes"})
    run_action(admin, "/admin/auth/group/", "delete_selected", Group.objects.create(name="x").pk, post="yes")
    assert [reason for _, _, reason in operator_events()] == [
        "operators: added",
        "operators: permissions",
        "support: name",
        "support: deleted",
        "x: deleted",
    ]
    assert {name for name, _, _ in operator_events()} == {"group.changed"}


def test_settings_are_recorded_with_their_old_and_new_values(admin: Browser, captured_log: CapturedLog) -> None:
    save_settings(admin, SESSIONS_PER_USER="7", ACCESS_TOKEN_LIFETIME="3600", REGISTRATION_OPEN=None)
    save_settings(admin, SESSIONS_PER_USER="8")
    assert operator_events() == [
        ("policy.changed", None, "ACCESS_TOKEN_LIFETIME: 30 seconds -> 1 hour"),
        ("policy.changed", None, "SESSIONS_PER_USER: 100 -> 7"),
        ("policy.changed", None, "REGISTRATION_OPEN: on -> off"),
        ("policy.changed", None, "SESSIONS_PER_USER: 7 -> 8"),
    ]
    line = captured_log.lines("policy.changed")[0]
    assert (line["actor_id"], line["ip"]) == (boss().pk, ADDRESS)
    assert "from 7 to 8" in LogEntry.objects.latest("pk").get_change_message()


def test_settings_changed_by_the_command_line_say_so(db: None) -> None:
    call_command("constance", "set", "SESSIONS_PER_USER", "7")
    call_command("constance", "set", "SESSIONS_PER_USER", "7")
    event = AuditEvent.objects.get(name="policy.changed")
    assert (event.actor_id, event.ip) == (None, None)
    assert event.detail == "SESSIONS_PER_USER: 100 -> 7 (command line)"


@pytest.mark.parametrize(
    ("value", "text"),
    [("help@example.com", "(an e-mail address)"), ("x" * 99, "x" * 20), (timedelta(days=3), "3 days"), (False, "off")],
)
def test_setting_in_the_log_is_short_and_no_email_address(value: object, text: str) -> None:
    assert loggable(value) == text


def test_mails_retried_by_an_operator_are_recorded_one_by_one(admin: Browser, alice: Person) -> None:
    mails = [enqueue(MailKind.PASSWORD_CHANGED, alice.email, {}, alice.id) for _ in range(2)]
    Mail.objects.update(next_attempt_at=clock.now() + lease() + timedelta(hours=1))
    run_action(admin, MAILS, "try_again_now", *[mail.pk for mail in mails])
    run_action(admin, MAILS, "try_again_now", *[mail.pk for mail in mails])
    assert operator_events() == [("mail.retried", alice.id, "password_changed")] * 2


def test_commands_record_that_it_was_the_command_line(alice: Person) -> None:
    call_command("end_sessions", "--user", alice.email, "--yes")
    call_command("demo")
    call_command("demo")
    demo = User.objects.get(is_superuser=True)
    events = AuditEvent.objects.filter(detail__contains="command line").order_by("id")
    assert [(event.name, event.user_id, event.detail, event.actor_id) for event in events] == [
        ("user.signed_out_everywhere", alice.id, "command line", None),
        ("user.registered", demo.pk, "superuser (command line)", None),
        ("password.changed", demo.pk, "command line", None),
        ("user.privileges_changed", demo.pk, "superuser (command line)", None),
    ]


def test_createsuperuser_records_a_registration_by_the_command_line(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", email="carol@example.com", interactive=False, verbosity=0)
    event = AuditEvent.objects.get()
    assert (event.name, event.detail) == ("user.registered", "superuser (command line)")


def test_user_sees_no_address_and_no_device_of_an_operator(admin: Browser, alice: Person) -> None:
    admin.post(user_page(alice.id, "password"), NEW, headers={"User-Agent": "the operator's own browser"})
    stored = AuditEvent.objects.get(name="password.changed")
    assert (stored.ip, stored.user_agent) == (ADDRESS, "the operator's own browser")
    alice.password = NEW["password1"]
    alice.login()
    history = alice.http.get("/api/me/events/", headers=alice.bearer()).json()["events"]
    changed = next(event for event in history if event["event"] == "password.changed")
    assert (changed["ip"], changed["device"]) == (None, "")
    exported = alice.http.get("/api/me/export/", headers=alice.bearer()).text
    assert "the operator's own browser" not in exported
    assert not re.search(r"\bactor", exported)
    User.objects.filter(pk=alice.id).update(email_verified_at=clock.now())
    process_pending()
    notice = last_mail(alice.email)
    assert (notice.kind, notice.context["address"], notice.context["device"]) == ("password_changed", "", "")


def test_operators_see_their_own_address_in_their_own_history(admin: Browser) -> None:
    save_user(admin, boss().pk, username="The boss")
    person = Person(admin_http(), SUPERUSER_EMAIL).login()
    history = person.http.get("/api/me/events/", headers=person.bearer()).json()["events"]
    assert next(event["ip"] for event in history if event["event"] == "user.display_name_changed") == ADDRESS


def admin_http() -> Any:
    import httpx

    from latchkey.wsgi import application

    return httpx.Client(transport=httpx.WSGITransport(app=application), base_url="http://127.0.0.1:8000")


def test_audit_log_shows_and_finds_the_operator(admin: Browser, alice: Person) -> None:
    run_action(admin, USERS, "end_sessions", alice.id)
    event = AuditEvent.objects.latest("id")
    link = f'<a href="{user_page(boss().pk)}">{SUPERUSER_EMAIL}</a>'
    for page in (f"{EVENTS}?event=user.signed_out_everywhere", f"{EVENTS}{event.pk}/change/"):
        assert link in admin.get(page).text
    for term in (SUPERUSER_EMAIL, alice.email):
        found = admin.get(EVENTS, {"q": f"{term} user.signed_out"}).context["cl"].result_list
        assert [each.pk for each in found] == [event.pk]
    AuditEvent.objects.filter(pk=event.pk).update(actor_id=4711)
    assert "4711 (deleted)" in admin.get(EVENTS).text


def test_deleted_operator_leaves_no_address_in_the_events_of_others(admin: Browser, alice: Person) -> None:
    User.objects.create_superuser("deputy@example.com", PASSWORD)
    admin.post(user_page(alice.id, "password"), NEW)
    changed = AuditEvent.objects.get(name="password.changed")
    assert erase(boss())
    changed.refresh_from_db()
    assert (changed.ip, changed.user_agent, changed.notification_pending) == (None, "", True)


def test_superuser_who_deletes_the_own_account_in_the_admin_leaves_no_address(admin: Browser) -> None:
    User.objects.create_superuser("deputy@example.com", PASSWORD)
    user_id = boss().pk
    admin.post(user_page(user_id, "delete"), {"post": "yes"})
    assert {event.ip for event in AuditEvent.objects.filter(user_id=user_id)} == {None}


def test_command_line_is_an_operator_without_an_id() -> None:
    assert Operator().reason() == "command line"
    assert Operator().reason("7 users") == "7 users (command line)"
    assert Operator(0, ClientInfo(ADDRESS)).reason() == "operator"
    assert Operator(0).reason("admin") == "admin"


def test_operator_with_id_0_is_recorded(http: Any, alice: Person) -> None:
    from latchkey.audit.log import record_by

    record_by(Operator(0, ClientInfo(ADDRESS)), Event.USER_DEACTIVATED, user_id=alice.id)
    event = AuditEvent.objects.latest("id")
    assert (event.actor_id, event.is_by_another) == (0, True)
