"""The user pages of the admin, as a superuser uses them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from latchkey.accounts.models import User
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import PASSWORD, Person
from tests.support.admin_pages import USERS, Browser, run_action, save_user, shown_messages, sign_in, user_page

NEW = {"email": "Carol@Example.COM ", "username": "", "password1": PASSWORD, "password2": PASSWORD}


def listed(browser: Browser, **query: str) -> set[str]:
    """Return the e-mail addresses that the list shows."""
    return {user.email for user in browser.get(USERS, query).context["cl"].result_list}


def test_admin_user_search_finds_part_of_an_email_address_or_display_name(
    admin: Browser, alice: Person, bob: Person
) -> None:
    alice.http.patch("/api/me/", json={"username": "Wonderland"}, headers=alice.bearer())
    assert listed(admin) == {SUPERUSER_EMAIL, alice.email, bob.email}
    assert listed(admin, q="BOB@") == {bob.email}
    assert listed(admin, q="wonder") == {alice.email}
    assert listed(admin, q="%") == set()


def test_admin_user_filters_select_staff_and_inactive_users(admin: Browser, alice: Person, bob: Person) -> None:
    run_action(admin, USERS, "deactivate_users", bob.id)
    assert listed(admin, is_staff__exact="1") == {SUPERUSER_EMAIL}
    assert listed(admin, is_active__exact="0") == {bob.email}
    assert listed(admin, is_active__exact="1") == {SUPERUSER_EMAIL, alice.email}


@pytest.mark.ledger("DJ-ADM-3", "ASVS-7.4.2", "REG-ALLAUTH-01", "REG-ZITADEL-07", "NIST-4.4")
def test_admin_deactivate_ends_access_at_once_and_reactivate_allows_login_again(
    admin: Browser, alice: Person, bob: Person
) -> None:
    answer = run_action(admin, f"{USERS}?is_active__exact=1", "deactivate_users", alice.id)
    assert shown_messages(answer) == ["Deactivated: 1 of 1 selected users."]
    assert [alice.me().status_code, alice.try_refresh().status_code] == [401, 401]
    assert bob.me().status_code == 200
    assert shown_messages(run_action(admin, USERS, "reactivate_users", alice.id)) == [
        "Reactivated: 1 of 1 selected users."
    ]
    assert [alice.me().status_code, alice.try_refresh().status_code] == [401, 401]
    assert alice.login().me().status_code == 200


def test_admin_deactivate_action_skips_the_operators_own_account(
    admin: Browser, alice: Person, user_row: Callable[[Person], Any]
) -> None:
    boss = User.objects.get(email=SUPERUSER_EMAIL)
    assert shown_messages(run_action(admin, USERS, "deactivate_users", boss.pk, alice.id)) == [
        "Deactivated: 1 of 2 selected users."
    ]
    assert admin.get(USERS).status_code == 200
    assert not user_row(alice).is_active


@pytest.mark.ledger("NIST-4.4")
def test_admin_end_sessions_action_signs_out_every_device_and_keeps_the_account_active(
    admin: Browser, alice: Person, bob: Person
) -> None:
    laptop = Person(alice.http, alice.email).login()
    assert shown_messages(run_action(admin, USERS, "end_sessions", alice.id)) == [
        "Ended all sessions: 1 of 1 selected users."
    ]
    assert [alice.me().status_code, laptop.me().status_code, bob.me().status_code] == [401, 401, 200]
    assert laptop.login().me().status_code == 200


def test_admin_action_is_recorded_in_the_history_of_the_user(admin: Browser, alice: Person) -> None:
    run_action(admin, USERS, "deactivate_users", alice.id)
    history = admin.get(user_page(alice.id, "history")).text
    assert "Deactivated." in history
    assert SUPERUSER_EMAIL in history
    assert LogEntry.objects.count() == 1


def test_admin_add_user_stores_a_canonical_email_and_the_user_can_sign_in(admin: Browser, alice: Person) -> None:
    answer = admin.post(f"{USERS}add/", NEW, follow=True)
    assert "was added successfully" in shown_messages(answer)[0]
    assert Person(alice.http, "carol@example.com").login().me().json()["username"] == ""


def test_admin_add_user_allows_a_duplicate_display_name(admin: Browser) -> None:
    for email in ("john@example.com", "john@example.org"):
        admin.post(f"{USERS}add/", {**NEW, "email": email, "username": "John Smith"})
    assert User.objects.filter(username="John Smith").count() == 2


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"email": "ALICE@example.com"}, "User with this E-mail address already exists."),
        ({"email": "not an address"}, "Enter a valid email address."),
        ({"email": ""}, "This field is required."),
        ({"password1": "short", "password2": "short"}, "The password is too short"),
        ({"password1": "x" * 257, "password2": "x" * 257}, "longer than 256 characters"),
        ({"password2": "another password"}, "The two password fields didn"),
        ({"password1": "", "password2": ""}, "This field is required."),
    ],
)
def test_admin_add_user_rejects_invalid_input(
    admin: Browser, alice: Person, typed: dict[str, str], sentence: str
) -> None:
    answer = admin.post(f"{USERS}add/", NEW | typed)
    assert answer.status_code == 200
    assert sentence in answer.text
    assert User.objects.count() == 2


def test_admin_email_edit_rejects_a_variant_of_a_taken_address(
    admin: Browser, alice: Person, bob: Person, user_row: Callable[[Person], Any]
) -> None:
    assert "already exists" in save_user(admin, bob.id, email="Alice@EXAMPLE.com").text
    assert user_row(bob).email == bob.email
    save_user(admin, bob.id, email="Robert@EXAMPLE.com")
    assert user_row(bob).email == "robert@example.com"
    assert bob.me().json()["email"] == "robert@example.com"


@pytest.mark.ledger("DJ-ADM-3", "REG-ALLAUTH-13")
def test_admin_set_password_ends_every_session_of_the_user(admin: Browser, alice: Person, bob: Person) -> None:
    answer = admin.post(
        user_page(alice.id, "password"), {"password1": "a new long password", "password2": "a new long password"}
    )
    assert answer.status_code == 302
    assert [alice.me().status_code, alice.try_refresh().status_code, bob.me().status_code] == [401, 401, 200]
    old = alice.http.post("/api/login/", json={"email": alice.email, "password": PASSWORD})
    assert old.status_code == 401
    assert Person(alice.http, alice.email, "a new long password").login().me().status_code == 200


@pytest.mark.parametrize("typed", [("short", "short"), ("", ""), ("one long password", "two long passwords")])
def test_admin_set_password_with_invalid_input_changes_nothing(
    admin: Browser, alice: Person, typed: tuple[str, str]
) -> None:
    page = user_page(alice.id, "password")
    sent = {"password1": typed[0], "password2": typed[1], "usable_password": "false", "unset-password": "1"}
    assert admin.post(page, sent).status_code == 200
    assert alice.me().status_code == 200
    assert alice.login().me().status_code == 200


@pytest.mark.ledger("DJ-ADM-3")
def test_admin_user_form_with_active_unchecked_ends_the_sessions(admin: Browser, alice: Person) -> None:
    assert "was changed successfully" in shown_messages(save_user(admin, alice.id, is_active=None))[0]
    assert alice.me().status_code == 401


def test_admin_change_own_password_keeps_the_operator_signed_in(admin: Browser) -> None:
    typed = {"old_password": PASSWORD, "new_password1": "an even longer one", "new_password2": "an even longer one"}
    assert admin.post("/admin/password_change/", typed).status_code == 302
    assert admin.get(USERS).status_code == 200
    assert sign_in(SUPERUSER_EMAIL).get(USERS).status_code == 302
    assert sign_in(SUPERUSER_EMAIL, "an even longer one").get(USERS).status_code == 200
