"""Edits of a user in the admin take effect at the next request of the user's devices."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.people import PASSWORD, Person
from tests.support.admin_pages import Browser, save_user, user_page

Edit = Callable[[Browser, int], Any]
NEW = {"password1": "a new long password", "password2": "a new long password"}
SESSION_ENDING_EDITS: dict[str, Edit] = {
    "deactivate": lambda admin, user: save_user(admin, user, is_active=None),
    "delete": lambda admin, user: admin.post(user_page(user, "delete"), {"post": "yes"}),
    "set a password": lambda admin, user: admin.post(user_page(user, "password"), NEW),
}


def request_every_endpoint(person: Person) -> dict[str, httpx.Response]:
    """Send a request to every endpoint with the tokens and the password of this person."""
    named = person.http.patch("/api/me/", json={"username": "still here"}, headers=person.bearer())
    signed_in = person.http.post("/api/login/", json={"email": person.email, "password": PASSWORD})
    answers = {"me": person.me(), "rename": named, "refresh": person.try_refresh(), "login": signed_in}
    return answers | {"logout": person.logout()}


@pytest.mark.ledger("H-ADM-03")
@pytest.mark.parametrize("edit", SESSION_ENDING_EDITS.values(), ids=SESSION_ENDING_EDITS)
def test_admin_deactivate_delete_or_set_password_rejects_the_next_request_at_every_endpoint(
    admin: Browser, alice: Person, bob: Person, edit: Edit
) -> None:
    assert {name: answer.status_code for name, answer in request_every_endpoint(bob).items()} == dict.fromkeys(
        ("me", "rename", "refresh", "login", "logout"), 200
    )
    assert edit(admin, alice.id).status_code in (200, 302)
    expected = {"me": 401, "rename": 401, "refresh": 401, "login": 401, "logout": 200}
    assert {name: answer.status_code for name, answer in request_every_endpoint(alice).items()} == expected


@pytest.mark.ledger("H-ADM-03")
def test_admin_email_edit_takes_effect_at_once_and_keeps_sessions(admin: Browser, alice: Person) -> None:
    save_user(admin, alice.id, email="Alicia@Example.com")
    assert alice.me().json()["email"] == "alicia@example.com"
    assert alice.refresh().me().status_code == 200
    old = alice.http.post("/api/login/", json={"email": "alice@example.com", "password": PASSWORD})
    assert old.status_code == 401
    assert Person(alice.http, "alicia@example.com").login().me().json()["id"] == alice.id


@pytest.mark.ledger("H-ADM-03")
def test_register_with_the_email_of_a_deleted_user_creates_another_account(admin: Browser, alice: Person) -> None:
    admin.post(user_page(alice.id, "delete"), {"post": "yes"})
    again = Person(alice.http, alice.email).register().login()
    assert again.id != alice.id
    assert again.me().status_code == 200
    assert [alice.me().status_code, alice.try_refresh().status_code] == [401, 401]
