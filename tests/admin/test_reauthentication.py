"""Reauthentication in the admin area: a stolen cookie changes nothing without the operator's password."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Group
from django.urls import URLPattern, URLResolver, clear_script_prefix, get_resolver, set_script_prefix
from time_machine import Traveller

from latchkey.accounts.models import User
from latchkey.admin.reauthentication import EXEMPT, MAX_AGE_SECONDS, NOT_SAVED
from latchkey.audit.models import AuditEvent
from latchkey.conf.policy import clear_cache, current_policy
from latchkey.mail.models import MailKind
from latchkey.mail.outbox import enqueue
from latchkey.server.hashing_routes import HashingRoutes
from latchkey.sessions.models import Session
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import PASSWORD, Person
from tests.support.admin_pages import (
    MAILS,
    SESSIONS,
    SETTINGS,
    USERS,
    Browser,
    save_settings,
    save_user,
    shown_messages,
    sign_in,
    user_page,
)

PAGE = "/admin/reauthenticate/"
NEW = {"password1": "a new long password", "password2": "a new long password"}


def age_proof(clock: Traveller, seconds: int = MAX_AGE_SECONDS) -> None:
    clock.shift(timedelta(seconds=seconds))


def boss() -> User:
    return User.objects.get(email=SUPERUSER_EMAIL)


def action(name: str, user_id: int, **typed: str) -> tuple[str, dict[str, Any]]:
    return USERS, {"action": name, "_selected_action": [user_id], "post": "yes", **typed}


CHANGES: dict[str, Callable[[int], tuple[str, dict[str, Any]]]] = {
    "password of another": lambda user_id: (user_page(user_id, "password"), NEW),
    "e-mail address of another": lambda user_id: (user_page(user_id), {"email": "mallory@example.com"}),
    "one's own e-mail address": lambda _: (user_page(boss().pk), {"email": "mallory@example.com", "is_active": "on"}),
    "superuser": lambda user_id: (user_page(user_id), {"email": "alice@example.com", "is_superuser": "on"}),
    "inactive": lambda user_id: (user_page(user_id), {"email": "alice@example.com"}),
    "new user": lambda _: (f"{USERS}add/", {"email": "mallory@example.com", "username": "", **NEW}),
    "deletion": lambda user_id: (user_page(user_id, "delete"), {"post": "yes"}),
    "settings": lambda _: (SETTINGS, {"REGISTRATION_OPEN": ""}),
    "group": lambda _: ("/admin/auth/group/add/", {"name": "operators"}),
    "session": lambda user_id: (f"{SESSIONS}{Session.objects.get(user=user_id).pk}/delete/", {"post": "yes"}),
    "sessions": lambda user_id: (
        SESSIONS,
        {"action": "delete_selected", "_selected_action": [Session.objects.get(user=user_id).pk], "post": "yes"},
    ),
    "mails": lambda _: (MAILS, {"action": "try_again_now", "_selected_action": [1]}),
    "deactivate": lambda user_id: action("deactivate_users", user_id),
    "end all sessions": lambda user_id: action("end_sessions", user_id),
    "unlock": lambda user_id: action("reset_rate_limits", user_id),
    "reset mail": lambda user_id: action("send_reset_links", user_id),
    "verify": lambda user_id: action("verify", user_id),
    "deletion of several": lambda user_id: action("delete_selected", user_id, post="yes"),
}


def everything() -> tuple[Any, ...]:
    """Return all that the changes would change."""
    clear_cache()
    users = User.objects.order_by("pk").values_list(
        "email", "password", "is_active", "is_superuser", "is_staff", "credential_version", "email_verified_at"
    )
    return list(users), current_policy(), Group.objects.count(), Session.objects.count(), AuditEvent.objects.count()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.ledger("ASVS-7.5.1")
def test_admin_change_without_a_recent_password_is_not_made(
    clock: Traveller, admin: Browser, alice: Person, change: str
) -> None:
    enqueue(MailKind.PASSWORD_CHANGED, alice.email, {}, alice.id)
    path, body = CHANGES[change](alice.id)
    age_proof(clock)
    before = everything()
    answer = admin.post(path, body)
    assert answer.status_code == 302
    assert urlsplit(answer["Location"]).path == PAGE
    assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [path]
    assert everything() == before
    page = admin.get(answer["Location"])
    assert page.status_code == 200
    assert NOT_SAVED in page.text


def test_admin_change_is_made_after_the_password_was_given_again(
    clock: Traveller, admin: Browser, alice: Person
) -> None:
    age_proof(clock)
    asked = save_user(admin, alice.id, username="Alice L.")
    assert asked.redirect_chain[-1][0].startswith(PAGE)
    key = admin.cookies["sessionid"].value
    answer = admin.post(asked.redirect_chain[-1][0], {"password": PASSWORD, "next": user_page(alice.id)})
    assert (answer.status_code, answer["Location"]) == (302, user_page(alice.id))
    assert admin.cookies["sessionid"].value != key
    assert "was changed successfully" in shown_messages(save_user(admin, alice.id, username="Alice L."))[-1]
    age_proof(clock, MAX_AGE_SECONDS - 1)
    assert "was changed successfully" in shown_messages(save_user(admin, alice.id, username="Alice M."))[-1]
    age_proof(clock, 1)
    assert save_user(admin, alice.id, username="Alice N.").redirect_chain[-1][0].startswith(PAGE)
    assert alice.login().me().json()["username"] == "Alice M."


def test_admin_pages_are_read_without_a_recent_password(clock: Traveller, admin: Browser, alice: Person) -> None:
    age_proof(clock, 3600)
    pages = "/admin/", USERS, user_page(alice.id), user_page(alice.id, "password"), SETTINGS, SESSIONS, f"{USERS}add/"
    assert {admin.get(page).status_code for page in pages} == {200}


def test_admin_sign_in_counts_for_10_minutes(clock: Traveller, admin: Browser) -> None:
    age_proof(clock, MAX_AGE_SECONDS - 1)
    assert shown_messages(save_settings(admin, SESSIONS_PER_USER="7")) != []
    clear_cache()
    assert current_policy().sessions_per_user == 7


def test_admin_reauthentication_does_not_count_from_the_future(clock: Traveller, admin: Browser, alice: Person) -> None:
    clock.shift(timedelta(hours=-1))
    assert admin.post(*action("deactivate_users", alice.id))["Location"].startswith(PAGE)


def test_admin_session_from_before_the_upgrade_has_to_give_the_password(admin: Browser, alice: Person) -> None:
    for stored in (None, {}, {"at": None}, {"at": "1"}, "x", 1):
        session = admin.session
        session["authentication"] = stored
        session.save()
        assert admin.post(*action("deactivate_users", alice.id))["Location"].startswith(PAGE)
    assert alice.me().status_code == 200


def test_admin_reauthentication_rejects_a_wrong_password_and_limits_guesses(
    clock: Traveller, admin: Browser, alice: Person
) -> None:
    age_proof(clock)
    for _ in range(20):
        answer = admin.post(PAGE, {"password": "wrong", "next": USERS})
        assert answer.status_code == 200
    assert "Too many attempts" in answer.text
    refused = AuditEvent.objects.filter(name="password.refused", user_id=boss().pk)
    assert 2 <= refused.count() <= 10
    assert admin.post(PAGE, {"password": PASSWORD, "next": USERS}).status_code == 200  # is not compared either
    assert admin.post(*action("deactivate_users", alice.id))["Location"].startswith(PAGE)
    assert alice.refresh().me().status_code == 200


def test_admin_reauthentication_page_says_what_is_wrong_and_keeps_the_target(admin: Browser) -> None:
    assert "This is not the password of the account." in admin.post(PAGE, {"password": "wrong", "next": USERS}).text
    page = admin.post(PAGE, {"password": "", "next": USERS})
    assert "This field is required." in page.text
    assert f'name="next" value="{USERS}"' in page.text
    assert "wrong" not in page.text


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example/admin/", "/admin/\\evil", "javascript:alert(1)", "", "/api/", "//"],
)
def test_admin_reauthentication_returns_to_pages_of_the_admin_only(admin: Browser, target: str) -> None:
    answer = admin.post(PAGE, {"password": PASSWORD, "next": target})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/")
    assert "//" not in answer["Location"]


def test_admin_button_on_a_user_page_returns_to_that_page(clock: Traveller, admin: Browser, alice: Person) -> None:
    age_proof(clock)
    path, body = action("end_sessions", alice.id, back="1")
    page = f"http://testserver{user_page(alice.id)}?_changelist_filters=q%3Dalice"
    answer = admin.post(path, body, headers={"Referer": page})
    assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [
        f"{user_page(alice.id)}?_changelist_filters=q%3Dalice"
    ]
    answer = admin.post(path, body, headers={"Referer": "https://evil.example/admin/"})
    assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [USERS]


def test_admin_page_of_another_users_password_does_not_change_ones_own(admin: Browser) -> None:
    for user_id in (str(boss().pk), f"0{boss().pk}", f"%20{boss().pk}"):
        page = f"{USERS}{user_id}/password/"
        for answer in (admin.get(page), admin.post(page, NEW)):
            assert answer.status_code == 302
            assert answer["Location"] in ("/admin/password_change/", "/admin/")
    assert boss().check_password(PASSWORD)


def test_admin_change_of_ones_own_password_asks_for_the_old_one_and_counts(
    clock: Traveller, admin: Browser, alice: Person
) -> None:
    age_proof(clock)
    typed = {"new_password1": NEW["password1"], "new_password2": NEW["password2"]}
    assert admin.post("/admin/password_change/", {**typed, "old_password": "wrong"}).status_code == 200
    assert admin.post(*action("deactivate_users", alice.id))["Location"].startswith(PAGE)
    assert admin.post("/admin/password_change/", {**typed, "old_password": PASSWORD}).status_code == 302
    assert "1 of 1" in shown_messages(admin.post(*action("deactivate_users", alice.id), follow=True))[-1]
    changed = AuditEvent.objects.get(name="password.changed", user_id=boss().pk)
    assert changed.ip == "127.0.0.1"


def test_admin_sign_out_asks_for_no_password(clock: Traveller, admin: Browser) -> None:
    age_proof(clock)
    assert admin.post("/admin/logout/").status_code in (200, 302)
    assert admin.get(USERS).status_code == 302


def admin_routes(patterns: list[Any], prefix: str = "/") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            found += admin_routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and route.startswith("/admin/"):
            found.append((route, str(pattern.name)))
    return found


def test_every_admin_route_asks_for_a_recent_password_before_a_post(
    clock: Traveller, admin: Browser, alice: Person
) -> None:
    age_proof(clock)
    routes = admin_routes(get_resolver().url_patterns)
    assert len(routes) > 20
    for route, name in routes:
        if name in {*EXEMPT, "password_change"} or name.startswith("login") or "(?P" in route:
            continue
        path = route.replace("<path:object_id>", str(alice.id)).replace("<id>", str(alice.id))
        answer = admin.post(path.replace("<path:content_type_id>", "1"))
        assert (answer.status_code, urlsplit(answer.headers.get("Location", "")).path) == (302, PAGE), route


def test_admin_reauthentication_waits_in_the_hashing_queue() -> None:
    assert HashingRoutes().match("POST", PAGE)
    assert not HashingRoutes().match("GET", PAGE)


def test_admin_reauthentication_is_for_staff(alice: Person) -> None:
    assert Browser().get(PAGE).status_code == 302
    assert Browser().post(PAGE, {"password": PASSWORD})["Location"].startswith("/admin/login/")


def test_admin_session_of_another_operator_is_not_proven_by_this_one(clock: Traveller, admin: Browser) -> None:
    User.objects.create_superuser("deputy@example.com", PASSWORD)
    deputy = sign_in("deputy@example.com")
    age_proof(clock)
    assert deputy.post(PAGE, {"password": PASSWORD}).status_code == 302
    assert deputy.post(*action("end_sessions", boss().pk))["Location"].startswith(USERS)
    assert admin.get(USERS).status_code == 302


def test_admin_reauthentication_and_its_links_work_under_a_path_prefix(
    clock: Traveller, admin: Browser, alice: Person, request: pytest.FixtureRequest
) -> None:
    age_proof(clock)
    request.addfinalizer(clear_script_prefix)
    set_script_prefix("/auth/")  # as Django's WSGI handler does, and the test client does not
    admin.defaults["SCRIPT_NAME"] = "/auth"
    page = f"/auth{user_page(alice.id)}"
    headers = {"Referer": f"http://testserver{page}"}
    asked = admin.post(*action("end_sessions", alice.id, back="1"), headers=headers)["Location"]
    assert asked.startswith(f"/auth{PAGE}?")
    assert parse_qs(urlsplit(asked).query)["next"] == [page]
    assert admin.post(PAGE, {"password": PASSWORD, "next": page})["Location"] == page
    assert admin.get(f"{USERS}?created_at__year=10000")["Location"] == f"/auth{USERS}?e=1"
    assert 'href="/auth/forgot-password/"' in Browser(SCRIPT_NAME="/auth").get("/admin/login/").text
