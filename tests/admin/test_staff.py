"""Members of staff who are not superusers: what they may see and do, and what no forged form gets them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission

from latchkey.accounts.models import User
from latchkey.sessions.models import Session
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import PASSWORD, Person
from tests.support.admin_pages import (
    SESSIONS,
    SETTINGS,
    USERS,
    Browser,
    run_action,
    save_user,
    shown_messages,
    user_page,
)

Staff = Callable[..., Browser]
CLERK = ("view_user", "change_user", "delete_user", "view_session", "delete_session")


def row(email: str) -> Any:
    return User.objects.get(email=email)


@pytest.mark.ledger("DJ-CON-1")
def test_only_a_superuser_opens_the_settings(admin: Browser, staff: Staff) -> None:
    clerk = staff("change_config", "view_config")
    assert admin.get(SETTINGS).status_code == 200
    assert clerk.get("/admin/").status_code == 200
    for page in (SETTINGS, f"{SETTINGS}history/"):
        assert clerk.get(page).status_code == 403
    assert clerk.post(SETTINGS, {"ACCESS_TOKEN_LIFETIME": "3600"}).status_code == 403


def test_staff_work_with_ordinary_users(alice: Person, staff: Staff) -> None:
    clerk = staff(*CLERK)
    save_user(clerk, alice.id, username="Alice L.")
    assert alice.me().json()["username"] == "Alice L."
    assert shown_messages(run_action(clerk, USERS, "end_sessions", alice.id)) == [
        "Ended all sessions: 1 of 1 selected."
    ]
    assert alice.me().status_code == 401


@pytest.mark.ledger("DJ-ADM-4")
def test_a_forged_form_gives_no_privileges(alice: Person, staff: Staff) -> None:
    clerk, group = staff(*CLERK), Group.objects.create(name="operators")
    every = [str(pk) for pk in Permission.objects.values_list("pk", flat=True)]
    for email in ("clerk@example.com", alice.email):
        wanted = {"is_superuser": "on", "is_staff": "on", "groups": [str(group.pk)], "user_permissions": every}
        answer = save_user(clerk, row(email).pk, username="forged", **wanted)
        assert "was changed successfully" in shown_messages(answer)[0]
        assert row(email).username == "forged"
        assert not row(email).is_superuser
        assert not row(email).groups.exists()
    assert row("clerk@example.com").user_permissions.count() == len(CLERK)
    assert not row(alice.email).is_staff


def test_a_forged_form_gives_a_group_no_privileges(staff: Staff) -> None:
    clerk = staff("view_group", "change_group", "add_group")
    every = [str(pk) for pk in Permission.objects.values_list("pk", flat=True)]
    clerk.post("/admin/auth/group/add/", {"name": "operators", "permissions": every})
    assert Group.objects.get(name="operators").permissions.count() == 0


@pytest.mark.ledger("DJ-ADM-4")
def test_staff_cannot_touch_a_superuser(admin: Browser, alice: Person, staff: Staff) -> None:
    clerk, boss = staff(*CLERK), row(SUPERUSER_EMAIL)
    assert clerk.get(user_page(boss.pk)).status_code == 200
    assert clerk.post(user_page(boss.pk), {"email": "mallory@example.com"}).status_code == 403
    new = {"password1": "mallory's password", "password2": "mallory's password"}
    assert clerk.post(user_page(boss.pk, "password"), new).status_code == 403
    assert clerk.post(user_page(boss.pk, "delete"), {"post": "yes"}).status_code == 403
    assert run_action(clerk, USERS, "delete_selected", boss.pk, post="yes").status_code == 403
    for action in ("deactivate_users", "end_sessions", "reactivate_users"):
        assert "1 of 2 selected" in shown_messages(run_action(clerk, USERS, action, boss.pk, alice.id))[0]
    after = row(SUPERUSER_EMAIL)
    assert (after.email, after.is_active, after.credential_version) == (SUPERUSER_EMAIL, True, boss.credential_version)
    assert after.check_password(PASSWORD)
    assert admin.get(SETTINGS).status_code == 200


def test_staff_who_may_only_look_change_nothing_and_see_no_password(
    admin: Browser, alice: Person, staff: Staff
) -> None:
    clerk = staff("view_user")
    page = clerk.get(user_page(alice.id))
    assert page.status_code == 200
    assert alice.email in page.text
    assert "Set another password" not in page.text
    assert "Set another password" in admin.get(user_page(alice.id)).text
    assert "Live sessions" not in page.text
    assert "Last events" not in page.text
    assert clerk.post(user_page(alice.id), {"email": "mallory@example.com"}).status_code == 403
    run_action(clerk, USERS, "deactivate_users", alice.id)
    assert alice.me().status_code == 200
    assert clerk.get(SESSIONS).status_code == 403


@pytest.mark.ledger("DJ-ADM-1", "REG-DJANGO-36")
@pytest.mark.parametrize("permissions", [("view_user",), CLERK, None])
def test_no_page_shows_any_part_of_a_password_hash(
    admin: Browser, alice: Person, staff: Staff, permissions: tuple[str, ...] | None
) -> None:
    browser = admin if permissions is None else staff(*permissions)
    _, _, _, _, salt, hashed = row(alice.email).password.split("$")
    for page in (USERS, user_page(alice.id), user_page(alice.id, "password"), user_page(alice.id, "history")):
        text = browser.get(page).text
        assert salt[:6] not in text
        assert hashed[:6] not in text
        assert "argon2" not in text


def test_ordinary_users_and_strangers_see_nothing(alice: Person, staff: Staff) -> None:
    browser = Browser()
    browser.force_login(row(alice.email))
    for page in ("/admin/", USERS, SESSIONS, SETTINGS, user_page(alice.id)):
        for visitor in (browser, Browser()):
            answer = visitor.get(page)
            assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/admin/login/")


@pytest.mark.ledger("DJ-ADM-4")
def test_staff_cannot_touch_other_staff_nor_sign_a_superuser_out(alice: Person, staff: Staff) -> None:
    clerk = staff(*CLERK)
    User.objects.filter(pk=alice.id).update(is_staff=True)
    new = {"password1": "mallory's password", "password2": "mallory's password"}
    assert clerk.post(user_page(alice.id, "password"), new).status_code == 403
    assert shown_messages(run_action(clerk, USERS, "deactivate_users", alice.id)) == ["Deactivated: 0 of 1 selected."]
    User.objects.filter(pk=alice.id).update(is_superuser=True)
    (session,) = Session.objects.filter(user_id=alice.id)
    assert clerk.post(f"{SESSIONS}{session.pk}/delete/", {"post": "yes"}).status_code == 403
    assert run_action(clerk, SESSIONS, "delete_selected", session.pk, post="yes").status_code in (200, 403)
    assert alice.me().status_code == 200
    assert clerk.post(user_page(row("clerk@example.com").pk, "password"), new).status_code == 302
