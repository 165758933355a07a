"""Pages of the admin for people: confirmations that name whom, hints, values that are not alarming, short lists."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings

from latchkey.accounts.models import User
from latchkey.core import clock
from latchkey.mail.models import Mail, MailKind
from latchkey.mail.outbox import enqueue
from latchkey.sessions.models import Session
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import PASSWORD, Person
from tests.support.admin_pages import EVENTS, MAILS, SESSIONS, USERS, Browser, run_action, shown_messages, user_page

GROUPS, APPLICATIONS = "/admin/auth/group/", "/admin/latchkey/application/"
QUESTIONS = {"deactivate_users": "Deactivate", "end_sessions": "End all sessions of"}


def ask(admin: Browser, action: str, *ids: int, **typed: str) -> Any:
    return run_action(admin, f"{USERS}?is_active__exact=1", action, *ids, **{"post": None, **typed})


def hidden_fields(page: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    form = page.partition('class="confirmation"')[2].partition("</form>")[0]
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("action", QUESTIONS)
def test_admin_action_that_signs_out_asks_and_names_whom(admin: Browser, alice: Person, action: str) -> None:
    page = ask(admin, action, alice.id)
    assert page.status_code == 200
    assert f"{QUESTIONS[action]} {alice.email}?" in page.text
    assert alice.me().status_code == 200
    answer = admin.post(USERS, hidden_fields(page.text), follow=True)
    assert "1 of 1 selected users" in shown_messages(answer)[0]
    assert alice.me().status_code == 401


def test_admin_confirmation_of_several_users_names_each_and_who_is_left_out(
    admin: Browser, alice: Person, bob: Person
) -> None:
    boss = User.objects.get(email=SUPERUSER_EMAIL)
    page = ask(admin, "deactivate_users", alice.id, bob.id, boss.pk).text
    assert "Deactivate these 2 users?" in page
    assert f"<b>{alice.email}</b>" in page
    assert f"<b>{bob.email}</b>" in page
    assert f"<b>{SUPERUSER_EMAIL}</b>" not in page
    assert "1 of the selected users is left out" in page


def test_admin_confirmation_of_many_users_names_twenty_and_keeps_the_selection(admin: Browser) -> None:
    for number in range(30):
        User.objects.create(email=f"user{number}@example.com", password="!")
    page = ask(admin, "end_sessions", User.objects.latest("pk").pk, select_across="1")
    assert "these 31 users?" in page.text
    assert page.text.count("@example.com</b>") == 20
    assert "and 11 more" in page.text
    fields = hidden_fields(page.text)
    assert (fields["select_across"], len(fields["_selected_action"])) == (["1"], 1)
    answer = admin.post(USERS, fields, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/admin/login/")  # the operator was among them
    assert not User.objects.filter(credential_version=0).exists()


def test_admin_button_of_a_user_page_asks_and_returns_there(admin: Browser, alice: Person) -> None:
    page = ask(admin, "end_sessions", alice.id, back="1")
    assert f'href="{user_page(alice.id)}"' in page.text
    assert admin.post(USERS, hidden_fields(page.text))["Location"] == user_page(alice.id)


def test_admin_confirmation_escapes_a_display_name(admin: Browser, alice: Person) -> None:
    User.objects.filter(pk=alice.id).update(username="<script>alert(1)</script>")
    assert "<script>alert" not in ask(admin, "end_sessions", alice.id).text


def test_admin_confirmations_of_deletion_name_whom(admin: Browser, alice: Person) -> None:
    assert alice.email in admin.get(user_page(alice.id, "delete")).text
    session = Session.objects.get(user=alice.id).pk
    assert alice.email in admin.get(f"{SESSIONS}{session}/delete/").text
    page = run_action(admin, SESSIONS, "delete_selected", session, post=None).text
    assert f"{alice.email}: Unknown device" in page
    assert f"session {session}" not in page
    assert alice.me().status_code == 200


def test_admin_user_list_shows_grey_dashes_and_no_red_crosses(admin: Browser, alice: Person) -> None:
    page = admin.get(USERS).text
    assert "close_small" not in page
    assert page.count('<span class="boolean no" title="No">-</span>') == 5  # staff of one, verified and factor of two
    assert "active" in page
    User.objects.filter(pk=alice.id).update(is_active=False)
    assert re.search(r">\s*inactive\s*<", admin.get(USERS).text)


@pytest.mark.parametrize(
    ("page", "hint"),
    [
        (APPLICATIONS, "latchkey applications add CLIENT_ID"),
        (GROUPS, "A group gives several members of staff the same permissions."),
        (MAILS, "There are no mails yet."),
        (SESSIONS, "A session appears here when a user signs in"),
    ],
)
def test_admin_empty_list_says_what_would_be_there(admin: Browser, page: str, hint: str) -> None:
    assert hint in admin.get(page).text.replace("&#x27;", "'")


def test_admin_list_without_a_match_offers_to_show_all(admin: Browser) -> None:
    for query in ("?q=nobody", "?is_active__exact=0"):
        page = admin.get(f"{USERS}{query}").text
        assert "Nothing matches" in page
        assert '<a href="?">Show all</a>' in page


def test_admin_lists_have_25_rows_a_page(admin: Browser, alice: Person) -> None:
    User.objects.bulk_create(User(email=f"user{number}@example.com", password="!") for number in range(30))
    for page in (USERS, SESSIONS, EVENTS, MAILS, GROUPS, APPLICATIONS):
        assert admin.get(page).context["cl"].list_per_page == 25
    assert len(admin.get(USERS).context["cl"].result_list) == 25
    assert len(admin.get(f"{USERS}?p=2").context["cl"].result_list) == 7


def test_admin_sign_in_page_leads_to_a_password_reset(db: None, settings: Any) -> None:
    assert '<a href="/forgot-password/">Forgot your password?</a>' in Browser().get("/admin/login/").text
    settings.MAIL_SERVER = None
    page = Browser().get("/admin/login/").text
    assert "/forgot-password/" not in page
    assert "latchkey django changepassword" in page


def test_dashboard_shows_the_number_of_users(admin: Browser, alice: Person, bob: Person) -> None:
    User.objects.filter(pk=alice.id).update(created_at=clock.now() - timedelta(days=30))
    answer = admin.get("/admin/")
    assert answer.context["users"] == {"total": "3", "added": "2"}
    assert "<h2>Users</h2>" in answer.text


def test_dashboard_of_staff_without_the_permission_shows_no_users(staff: Any) -> None:
    page = staff("view_mail").get("/admin/")
    assert "users" not in page.context
    assert "<h2>Users</h2>" not in page.text
    assert "alerts" not in staff_without_permissions().get("/admin/").context


def staff_without_permissions() -> Browser:
    from tests.support.admin_pages import sign_in

    User.objects.create_user("temp@example.com", PASSWORD, is_staff=True)
    return sign_in("temp@example.com")


def test_dashboard_warns_of_mails_that_failed_and_of_a_missing_mail_server(admin: Browser, alice: Person) -> None:
    assert admin.get("/admin/").context["alerts"] == []
    mail = enqueue(MailKind.PASSWORD_CHANGED, alice.email, {}, alice.id)
    Mail.objects.filter(pk=mail.pk).update(failed_at=clock.now())
    page = admin.get("/admin/").text
    assert "1 mail has failed for good in the last 24 hours" in page
    assert f'href="{MAILS}?state=failed"' in page
    Mail.objects.filter(pk=mail.pk).update(failed_at=clock.now() - timedelta(days=2))
    assert admin.get("/admin/").context["alerts"] == []
    with override_settings(MAIL_SERVER=None):
        assert "No mail server is set" in admin.get("/admin/").text
