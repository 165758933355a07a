"""Revocation of every session of a user: password change, deactivation, sign-out everywhere, deletion."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from latchkey.accounts.admin_actions import deactivate, reactivate, sign_out_everywhere
from latchkey.accounts.models import User
from latchkey.sessions.models import Session
from tests.people import PASSWORD, Person
from tests.problems import assert_problem

UserRow = Callable[[Person], Any]


def set_new_password(user: Any, **how: Any) -> None:
    user.set_password("a new and long password")
    user.save(**how)


def set_inactive(user: Any, **how: Any) -> None:
    user.is_active = False
    user.save(**how)


REVOKING_CHANGES: dict[str, Callable[[Any], Any]] = {
    "a new password": set_new_password,
    "a new password, saved alone": lambda user: set_new_password(user, update_fields=["password"]),
    "the same password set again": lambda user: (user.set_password(PASSWORD), user.save()),
    "no password any more": lambda user: (user.set_unusable_password(), user.save()),
    "a password set to None": lambda user: (user.set_password(None), user.save()),
    "inactive, saved in full": set_inactive,
    "inactive, saved alone": lambda user: set_inactive(user, update_fields=["is_active"]),
    "inactive by a bulk update": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "deactivate()": lambda user: deactivate([user.pk]),
    "sign_out_everywhere()": lambda user: sign_out_everywhere([user.pk]),
    "deletion": lambda user: user.delete(),
}


@pytest.mark.ledger(
    "RFC9700-4.14-5",
    "REG-SIMPLEJWT-01",
    "REG-SIMPLEJWT-03",
    "H-JWT-18",
    "ASVS-7.4.2",
    "REG-ALLAUTH-13",
    "REG-KEYCLOAK-04",
    "ASVS-8.3.2",
)
@pytest.mark.parametrize("change", REVOKING_CHANGES)
def test_password_change_deactivation_and_deletion_end_every_session_at_once(
    alice: Person, bob: Person, user_row: UserRow, change: str
) -> None:
    phone = Person(alice.http, alice.email).login()
    rotated = phone.refresh_token
    phone.refresh()
    assert alice.me().status_code == phone.me().status_code == 200
    REVOKING_CHANGES[change](user_row(alice))
    for device in (alice, phone):
        assert_problem(device.me(), 401, "invalid_token")
        assert_problem(device.try_refresh(), 401, "invalid_refresh_token")
    assert_problem(phone.try_refresh(rotated), 401, "invalid_refresh_token")
    assert bob.me().status_code == bob.try_refresh().status_code == 200


@pytest.mark.ledger("ASVS-7.4.2", "REG-ALLAUTH-01", "REG-ZITADEL-07", "REG-KEYCLOAK-04")
@pytest.mark.parametrize(
    "again", [lambda pk: reactivate([pk]), lambda pk: User.objects.filter(pk=pk).update(is_active=True)]
)
def test_reactivation_revives_no_session_but_lets_the_user_sign_in(alice: Person, again: Callable[[int], Any]) -> None:
    deactivate([alice.id])
    assert_problem(login(alice), 401, "invalid_credentials")
    again(alice.id)
    assert_problem(alice.me(), 401, "invalid_token")
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")
    assert alice.login().me().status_code == 200


def login(person: Person) -> Any:
    return person.http.post("/api/login/", json={"email": person.email, "password": person.password})


def test_new_password_replaces_the_old_one_at_login(alice: Person, user_row: UserRow) -> None:
    set_new_password(user_row(alice))
    assert_problem(login(alice), 401, "invalid_credentials")
    alice.password = "a new and long password"
    assert alice.login().me().status_code == 200


def test_change_of_username_staff_status_or_email_ends_no_session(alice: Person, user_row: UserRow) -> None:
    user = user_row(alice)
    user.username, user.is_staff = "Alice", True
    user.save()
    user.save(update_fields=["username"])
    reactivated = user_row(alice)
    reactivated.email = "alice@example.org"
    reactivated.save()
    assert alice.me().json()["email"] == "alice@example.org"
    assert alice.try_refresh().status_code == 200


def test_sign_out_everywhere_takes_two_statements_for_any_number_of_sessions(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    alice.login().login()
    assert len(statements(lambda: sign_out_everywhere([alice.id]))) == 2
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")


def test_login_deletes_the_sessions_that_sign_out_everywhere_ended(alice: Person, user_row: UserRow) -> None:
    alice.login()
    sign_out_everywhere([alice.id])
    assert Session.objects.count() == 2
    alice.login()
    assert Session.objects.count() == 1


@pytest.mark.ledger("H-ENUM-03", "REG-DRFJWT-01", "RFC9110-15.5.2")
def test_refresh_refuses_byte_for_byte_alike_whatever_the_reason(
    http: Any, user_row: UserRow, set_policy: Callable[..., None]
) -> None:
    def signed_in_user(name: str) -> Person:
        return Person(http, f"{name}@example.com").register().login()

    people = {name: signed_in_user(name) for name in ("ended", "expired", "revoked", "inactive", "deleted", "replayed")}
    people["ended"].logout()
    Session.objects.filter(user=people["expired"].id).update(expires_at=user_row(people["expired"]).created_at)
    set_new_password(user_row(people["revoked"]))
    deactivate([people["inactive"].id])
    user_row(people["deleted"]).delete()
    set_policy(retry_window=timedelta(0))
    replayed = people["replayed"].refresh_token
    people["replayed"].refresh()
    refusals = [person.try_refresh() for name, person in people.items() if name != "replayed"]
    refusals += [people["replayed"].try_refresh(replayed), people["replayed"].try_refresh()]
    refusals.append(people["ended"].try_refresh("2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42"))
    assert_problem(refusals[0], 401, "invalid_refresh_token")
    assert all((other.content, other.headers) == (refusals[0].content, refusals[0].headers) for other in refusals)
