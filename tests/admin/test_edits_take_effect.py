"""What an operator does to a user while the user's devices go on asking: it acts at once, and nothing breaks."""

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
    """Knock at every door with this person's tokens and password."""
    named = person.http.patch("/api/me/", json={"username": "still here"}, headers=person.bearer())
    signed_in = person.http.post("/api/login/", json={"email": person.email, "password": PASSWORD})
    doors = {"me": person.me(), "rename": named, "refresh": person.try_refresh(), "login": signed_in}
    return doors | {"logout": person.logout()}


@pytest.mark.ledger("H-ADM-03")
@pytest.mark.parametrize("edit", SESSION_ENDING_EDITS.values(), ids=SESSION_ENDING_EDITS)
def test_an_ending_acts_at_the_next_request_at_every_door(
    admin: Browser, alice: Person, bob: Person, edit: Edit
) -> None:
    assert {name: answer.status_code for name, answer in request_every_endpoint(bob).items()} == dict.fromkeys(
        ("me", "rename", "refresh", "login", "logout"), 200
    )
    assert edit(admin, alice.id).status_code in (200, 302)
    expected = {"me": 401, "rename": 401, "refresh": 401, "login": 401, "logout": 200}
    assert {name: answer.status_code for name, answer in request_every_endpoint(alice).items()} == expected


@pytest.mark.ledger("H-ADM-03")
def test_a_new_address_is_in_force_at_once_and_signs_nobody_out(admin: Browser, alice: Person) -> None:
    save_user(admin, alice.id, email="Alicia@Example.com")
    assert alice.me().json()["email"] == "alicia@example.com"
    assert alice.refresh().me().status_code == 200
    old = alice.http.post("/api/login/", json={"email": "alice@example.com", "password": PASSWORD})
    assert old.status_code == 401
    assert Person(alice.http, "alicia@example.com").login().me().json()["id"] == alice.id


@pytest.mark.ledger("H-ADM-03")
def test_who_registers_with_the_address_of_a_deleted_user_is_somebody_else(admin: Browser, alice: Person) -> None:
    admin.post(user_page(alice.id, "delete"), {"post": "yes"})
    again = Person(alice.http, alice.email).register().login()
    assert again.id != alice.id
    assert again.me().status_code == 200
    assert [alice.me().status_code, alice.try_refresh().status_code] == [401, 401]
