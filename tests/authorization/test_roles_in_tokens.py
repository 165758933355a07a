"""Claim `roles` (RFC 9068 section 2.2.3.1) in access tokens, whichever way they are issued."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import connection

from latchkey.accounts.models import User
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.models import Role
from latchkey.authorization.roles import delete_role, revoke_role, set_roles
from tests.authorization.members import claim, grant, role, said
from tests.passkeys.requests import add, try_sign_in
from tests.people import PASSWORD, Person
from tests.second_factors import enrol
from tests.support.simultaneous import decode_claims
from tests.support.software_authenticator import SoftwareAuthenticator

Statements = Callable[[Callable[[], Any]], list[str]]


def new_token(person: Person, path: str, **body: Any) -> dict[str, Any]:
    """Return what the access token of an answer says about authorization."""
    answer = person.http.post(path, json=body, headers=person.bearer())
    assert answer.status_code == 200, answer.text
    return said(answer.json()["access_token"])


def test_tokens_of_login_and_refresh_have_the_roles_sorted(alice: Person) -> None:
    grant(alice, "viewer", "editor", "a.b:c-d_e", "0")
    expected = {"roles": ["0", "a.b:c-d_e", "editor", "viewer"]}
    assert said(alice.login().access_token) == expected
    assert said(alice.refresh().access_token) == expected


def test_token_of_a_retried_refresh_has_the_roles(alice: Person) -> None:
    grant(alice, "editor")
    lost = alice.try_refresh()
    again = alice.try_refresh()
    assert lost.json()["refresh_token"] == again.json()["refresh_token"]
    assert said(lost.json()["access_token"]) == said(again.json()["access_token"]) == {"roles": ["editor"]}


def test_tokens_of_a_password_change_and_a_step_up_have_the_roles(alice: Person) -> None:
    grant(alice, "editor")
    claim(alice, {"department": "sales"})
    expected = {"roles": ["editor"], "claims": {"department": "sales"}}
    assert new_token(alice, "/api/step-up/", password=PASSWORD) == expected
    changed = {"current_password": PASSWORD, "new_password": "another horse battery"}
    assert new_token(alice, "/api/password/change/", **changed) == expected


def test_token_of_a_sign_in_with_a_second_factor_has_the_roles(alice: Person) -> None:
    grant(alice, "editor")
    enrolled = enrol(alice)
    assert said(enrolled.sign_in().person.access_token) == {"roles": ["editor"]}


def test_token_of_a_sign_in_with_a_passkey_has_the_roles(alice: Person) -> None:
    grant(alice, "editor")
    phone = SoftwareAuthenticator()
    add(alice, phone)
    answer = try_sign_in(alice.http, phone)
    assert answer.status_code == 200, answer.text
    assert said(answer.json()["access_token"]) == {"roles": ["editor"]}


def test_tokens_of_an_account_without_roles_and_claims_say_nothing_of_them(alice: Person) -> None:
    grant(alice, "editor")
    claim(alice, {"a": 1})
    revoke_role([alice.id], Role.objects.get(), COMMAND_LINE)
    claim(alice, {})
    assert User.objects.get(pk=alice.id).token_claims == ""
    for token in (alice.login().access_token, alice.refresh().access_token):
        assert not {"roles", "claims", "scope", "client_id"} & decode_claims(token).keys()


def test_scopes_of_a_role_are_never_in_the_token_of_a_session(alice: Person) -> None:
    grant(alice, "editor")
    set_roles(alice.id, [role("operator", "users:read").name], COMMAND_LINE)
    assert said(alice.refresh().access_token) == {"roles": ["operator"]}


def test_role_granted_or_revoked_is_in_the_next_token(alice: Person) -> None:
    assert said(alice.refresh().access_token) == {}
    grant(alice, "editor")
    assert said(alice.refresh().access_token) == {"roles": ["editor"]}
    revoke_role([alice.id], Role.objects.get(), COMMAND_LINE)
    assert said(alice.refresh().access_token) == {}


def test_deleted_role_is_in_no_new_token(alice: Person, bob: Person) -> None:
    grant(alice, "editor", "viewer")
    grant(bob, "editor")
    assert list(delete_role(Role.objects.get(name="editor"), COMMAND_LINE)) == [2]
    assert said(alice.refresh().access_token) == {"roles": ["viewer"]}
    assert said(bob.refresh().access_token) == {}


def test_longest_roles_and_claims_fit_into_a_token_that_is_accepted(alice: Person, http: httpx.Client) -> None:
    """15 names of 64 characters are 1,006 bytes of JSON, and the claims 1,024."""
    set_roles(alice.id, [role(f"{number:x}".ljust(64, "z")).name for number in range(15)], COMMAND_LINE)
    claim(alice, {"a": "x" * 1_016})
    token = alice.refresh().access_token
    assert len(said(token)["roles"]) == 15
    assert len(token) < 3_500
    assert alice.me().status_code == 200
    assert http.get("/api/verify/", headers=alice.bearer()).status_code == 204


@pytest.mark.parametrize("roles", [1, 10])
def test_roles_and_claims_cost_no_statement(alice: Person, statements: Statements, roles: int) -> None:
    def counts() -> dict[str, int]:
        acts: dict[str, Callable[[], Any]] = {
            "login": alice.login,
            "refresh": alice.refresh,
            "me": alice.me,
            "logout": alice.logout,
        }
        return {name: len(statements(act)) for name, act in acts.items()}

    without = counts()
    grant(alice, *(f"role.{number}" for number in range(roles)))
    claim(alice, {"department": "sales"})
    assert counts() == without
    assert without["me"] == 1, without
    assert without["login"] <= 4 + (connection.vendor == "sqlite")  # where the event is a statement of its own
    assert without["refresh"] == 1, without
    assert without["logout"] == 1 + (connection.vendor == "sqlite"), without


def test_old_token_is_accepted_after_the_role_was_revoked(alice: Person) -> None:
    """It says what it said for as long as it lives; verify and introspection read the row."""
    grant(alice, "editor")
    alice.refresh()
    set_roles(alice.id, [], COMMAND_LINE)
    assert said(alice.access_token) == {"roles": ["editor"]}
    assert alice.me().status_code == 200
