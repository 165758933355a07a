"""Staff users who are not superusers: what they may see and do, and what a forged form does not get them."""

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


def user_by_email(email: str) -> Any:
    return User.objects.get(email=email)


@pytest.mark.ledger("DJ-CON-1")
def test_admin_settings_page_is_for_superusers_only(admin: Browser, staff: Staff) -> None:
    clerk = staff("change_config", "view_config")
    assert admin.get(SETTINGS).status_code == 200
    assert clerk.get("/admin/").status_code == 200
    for page in (SETTINGS, f"{SETTINGS}history/"):
        assert clerk.get(page).status_code == 403
    assert clerk.post(SETTINGS, {"ACCESS_TOKEN_LIFETIME": "3600"}).status_code == 403


def test_admin_staff_with_permission_edit_users_and_end_their_sessions(alice: Person, staff: Staff) -> None:
    clerk = staff(*CLERK)
    save_user(clerk, alice.id, username="Alice L.")
    assert alice.me().json()["username"] == "Alice L."
    assert shown_messages(run_action(clerk, USERS, "end_sessions", alice.id)) == [
        "Ended all sessions: 1 of 1 selected users."
    ]
    assert alice.me().status_code == 401


@pytest.mark.ledger("DJ-ADM-4")
def test_admin_user_form_of_staff_ignores_forged_privileges(alice: Person, staff: Staff) -> None:
    clerk, group = staff(*CLERK), Group.objects.create(name="operators")
    every = [str(pk) for pk in Permission.objects.values_list("pk", flat=True)]
    for email in ("clerk@example.com", alice.email):
        wanted = {"is_superuser": "on", "is_staff": "on", "groups": [str(group.pk)], "user_permissions": every}
        answer = save_user(clerk, user_by_email(email).pk, username="forged", **wanted)
        assert "was changed successfully" in shown_messages(answer)[0]
        assert user_by_email(email).username == "forged"
        assert not user_by_email(email).is_superuser
        assert not user_by_email(email).groups.exists()
    assert user_by_email("clerk@example.com").user_permissions.count() == len(CLERK)
    assert not user_by_email(alice.email).is_staff


def test_admin_group_form_of_staff_ignores_forged_permissions(staff: Staff) -> None:
    clerk = staff("view_group", "change_group", "add_group")
    every = [str(pk) for pk in Permission.objects.values_list("pk", flat=True)]
    clerk.post("/admin/auth/group/add/", {"name": "operators", "permissions": every})
    assert Group.objects.get(name="operators").permissions.count() == 0


@pytest.mark.ledger("DJ-ADM-4")
def test_admin_staff_cannot_change_or_delete_a_superuser(admin: Browser, alice: Person, staff: Staff) -> None:
    clerk, boss = staff(*CLERK), user_by_email(SUPERUSER_EMAIL)
    assert clerk.get(user_page(boss.pk)).status_code == 200
    assert clerk.post(user_page(boss.pk), {"email": "mallory@example.com"}).status_code == 403
    new = {"password1": "mallory's password", "password2": "mallory's password"}
    assert clerk.post(user_page(boss.pk, "password"), new).status_code == 403
    assert clerk.post(user_page(boss.pk, "delete"), {"post": "yes"}).status_code == 403
    assert run_action(clerk, USERS, "delete_selected", boss.pk, post="yes").status_code == 403
    for action in ("deactivate_users", "end_sessions", "reactivate_users"):
        assert "1 of 2 selected" in shown_messages(run_action(clerk, USERS, action, boss.pk, alice.id))[0]
    after = user_by_email(SUPERUSER_EMAIL)
    assert (after.email, after.is_active, after.credential_version) == (SUPERUSER_EMAIL, True, boss.credential_version)
    assert after.check_password(PASSWORD)
    assert admin.get(SETTINGS).status_code == 200


def test_admin_staff_with_view_permission_change_nothing_and_see_no_password(
    admin: Browser, alice: Person, staff: Staff
) -> None:
    clerk = staff("view_user")
    page = clerk.get(user_page(alice.id))
    assert page.status_code == 200
    assert alice.email in page.text
    assert "Set a new password" not in page.text
    assert "Set a new password" in admin.get(user_page(alice.id)).text
    assert "Active sessions" not in page.text
    assert "Recent events" not in page.text
    assert clerk.post(user_page(alice.id), {"email": "mallory@example.com"}).status_code == 403
    run_action(clerk, USERS, "deactivate_users", alice.id)
    assert alice.me().status_code == 200
    assert clerk.get(SESSIONS).status_code == 403


@pytest.mark.hashing
@pytest.mark.ledger("DJ-ADM-1", "REG-DJANGO-36")
@pytest.mark.parametrize("permissions", [("view_user",), CLERK, None])
def test_admin_pages_show_no_part_of_a_password_hash(
    admin: Browser, alice: Person, staff: Staff, permissions: tuple[str, ...] | None
) -> None:
    browser = admin if permissions is None else staff(*permissions)
    _, _, _, _, salt, hashed = user_by_email(alice.email).password.split("$")
    for page in (USERS, user_page(alice.id), user_page(alice.id, "password"), user_page(alice.id, "history")):
        text = browser.get(page).text
        assert salt[:6] not in text
        assert hashed[:6] not in text
        assert "argon2" not in text


def test_admin_redirects_non_staff_and_anonymous_visitors_to_the_login_page(alice: Person, staff: Staff) -> None:
    browser = Browser()
    browser.force_login(user_by_email(alice.email))
    for page in ("/admin/", USERS, SESSIONS, SETTINGS, user_page(alice.id)):
        for visitor in (browser, Browser()):
            answer = visitor.get(page)
            assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/admin/login/")


@pytest.mark.ledger("DJ-ADM-4")
def test_admin_staff_cannot_change_other_staff_or_end_a_superusers_session(alice: Person, staff: Staff) -> None:
    clerk = staff(*CLERK)
    User.objects.filter(pk=alice.id).update(is_staff=True)
    new = {"password1": "mallory's password", "password2": "mallory's password"}
    assert clerk.post(user_page(alice.id, "password"), new).status_code == 403
    assert shown_messages(run_action(clerk, USERS, "deactivate_users", alice.id)) == [
        "Deactivated: 0 of 1 selected users."
    ]
    User.objects.filter(pk=alice.id).update(is_superuser=True)
    (session,) = Session.objects.filter(user_id=alice.id)
    assert clerk.post(f"{SESSIONS}{session.pk}/delete/", {"post": "yes"}).status_code == 403
    assert run_action(clerk, SESSIONS, "delete_selected", session.pk, post="yes").status_code in (200, 403)
    assert alice.me().status_code == 200
    own = user_page(user_by_email("clerk@example.com").pk, "password")
    assert clerk.post(own, new)["Location"] == "/admin/password_change/"
    assert user_by_email("clerk@example.com").check_password(PASSWORD)
