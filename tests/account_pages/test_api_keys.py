"""/account/security/api-keys/: create a key, which is shown once, and revoke one, in a browser without scripts."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine

from latchkey.api_keys.models import ApiKey
from tests.account_pages.visitor import CONFIRM, SECURITY, Visitor
from tests.api_keys.requests import create, grant_scopes, list_keys, use
from tests.people import PASSWORD, Person

ADD = "/account/security/api-keys/add/"


def path_of_revoking(key_id: str) -> str:
    return f"/account/security/api-keys/{key_id}/revoke/"


def test_new_key_is_shown_once_and_works(alice: Person, visitor: Visitor) -> None:
    grant_scopes(alice, "users:read", "users:write")
    visitor.sign_in(alice.email)
    page = visitor.open(ADD)
    assert "Read all users, their sessions and their events." in page.text
    page = visitor.submit(name="<b>Backup</b>", scopes="users:read", expires_in_days="30")
    (key,) = page.codes
    assert page.answer.headers["Cache-Control"] == "no-store"
    assert "<b>Backup" not in page.answer.text
    assert use(alice.http, key).json()["email"] == alice.email
    (listed,) = list_keys(alice)
    assert (listed["name"], listed["scopes"]) == ("<b>Backup</b>", ["users:read"])
    page = visitor.open(SECURITY)
    assert "<b>Backup</b>" in page.text
    assert key not in page.answer.text


def test_page_offers_no_scope_that_the_person_lacks(alice: Person, bob: Person, visitor: Visitor) -> None:
    grant_scopes(bob, "users:read")
    visitor.sign_in(alice.email)
    visitor.open(ADD)
    assert "users:read" not in visitor.page.answer.text
    page = visitor.submit(name="Backup", expires_in_days="30")
    assert len(page.codes) == 1
    visitor.open(ADD)
    form = visitor.page.form("name")
    answer = visitor.http.post(form.action, data=form.fields | {"name": "x", "scopes": "users:read"})
    assert answer.status_code == 400
    assert ApiKey.objects.count() == 1


def test_never_is_offered_where_the_policy_has_no_limit(
    alice: Person, visitor: Visitor, set_policy: Callable[..., None]
) -> None:
    visitor.sign_in(alice.email)
    visitor.open(ADD)
    assert "never" not in visitor.page.text
    visitor.submit(name="Backup", expires_in_days="")
    assert visitor.page.status == 400
    set_policy(api_key_max_age=0)
    visitor.open(ADD)
    assert "never" in visitor.page.text
    visitor.submit(name="Backup", expires_in_days="")
    assert "It never expires." in visitor.page.text


def test_shorter_policy_offers_its_own_limit(alice: Person, visitor: Visitor, set_policy: Callable[..., None]) -> None:
    set_policy(api_key_max_age=20)
    visitor.sign_in(alice.email)
    page = visitor.open(ADD)
    assert "in 20 days" in page.text
    assert "in 30 days" not in page.text


@pytest.mark.parametrize("name", ["", " ", "a\u0007b", "x" * 101])
def test_name_that_cannot_be_shown_is_refused(alice: Person, visitor: Visitor, name: str) -> None:
    visitor.sign_in(alice.email)
    visitor.open(ADD)
    assert visitor.submit(name=name, expires_in_days="30").status == 400
    assert not ApiKey.objects.exists()


def test_key_is_revoked_after_a_question(alice: Person, visitor: Visitor) -> None:
    created = create(alice, name="Backup")
    visitor.sign_in(alice.email)
    page = visitor.open(path_of_revoking(created["id"]))
    assert "Revoke the API key" in page.text
    assert use(alice.http, created["key"]).status_code == 200
    page = visitor.submit(action=path_of_revoking(created["id"]))
    assert (page.path, "The API key is revoked." in page.text) == (SECURITY, True)
    assert use(alice.http, created["key"]).status_code == 401


def test_key_of_somebody_else_has_no_page(alice: Person, bob: Person, visitor: Visitor) -> None:
    created = create(bob)
    visitor.sign_in(alice.email)
    assert visitor.open(path_of_revoking(created["id"])).status == 404
    assert visitor.open(path_of_revoking("abcdef")).status == 404


def test_old_proof_is_asked_for_again_before_a_key_is_created_or_revoked(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor
) -> None:
    created = create(alice)
    visitor.sign_in(alice.email)
    clock.shift(timedelta(minutes=10))
    for path in (ADD, path_of_revoking(created["id"])):
        assert visitor.open(path).path == CONFIRM
    visitor.submit(password=PASSWORD)
    assert visitor.page.path == path_of_revoking(created["id"])


def test_overview_says_that_a_key_is_expired(clock: time_machine.Traveller, alice: Person, visitor: Visitor) -> None:
    create(alice, name="Backup", expires_in_days=1)
    visitor.sign_in(alice.email)
    assert "not used since, expires on 2 January 2030." in visitor.page.text
    clock.shift(timedelta(days=1, seconds=1))
    visitor.sign_in(alice.email)
    assert "not used since, expired on 2 January 2030." in visitor.page.text
