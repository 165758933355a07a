"""PATCH and DELETE /api/users/<id>/: changes by a back end, all of a request or none."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.audit.log import COMMAND_LINE
from latchkey.audit.models import AuditEvent
from latchkey.authorization.models import Scope
from latchkey.authorization.roles import create_role, grant_role
from tests.outbox import sent_mails
from tests.people import Person, try_login
from tests.problems import assert_problem
from tests.users_api.callers import CLIENT_ID, KINDS, READ, WRITE, Caller, application, events_of, person

APPLICATION = [(None, CLIENT_ID, "application")]


@pytest.fixture
def writer(http: httpx.Client) -> Caller:
    return application(http, READ, WRITE)


def change(writer: Caller, target: Person, **fields: Any) -> httpx.Response:
    return writer.send("PATCH", f"users/{target.id}/", fields)


def test_deactivated_user_is_signed_out_until_reactivated(writer: Caller, alice: Person) -> None:
    assert change(writer, alice, active=False).json()["active"] is False
    assert (alice.me().status_code, try_login(alice.http, alice.email).status_code) == (401, 401)
    assert change(writer, alice, active=True).json()["active"] is True
    assert (alice.me().status_code, try_login(alice.http, alice.email).status_code) == (401, 200)
    assert events_of(alice.id, "user.deactivated") == events_of(alice.id, "user.reactivated") == APPLICATION


def test_new_address_is_unverified_and_the_former_one_gets_a_notice(writer: Caller, alice: Person) -> None:
    User.objects.update(email_verified_at=User.objects.get(pk=alice.id).created_at)
    user = change(writer, alice, email="Alicia@example.com").json()
    assert (user["email"], user["email_verified"]) == ("alicia@example.com", False)
    assert [(mail.kind, mail.to) for mail in sent_mails()][-1:] == [("email_changed", "alice@example.com")]
    assert try_login(alice.http, "alicia@example.com").status_code == 200
    assert events_of(alice.id, "email.changed") == APPLICATION


def test_new_address_is_verified_if_the_same_request_says_so(writer: Caller, alice: Person) -> None:
    assert change(writer, alice, email="alicia@example.com", email_verified=True).json()["email_verified"] is True


def test_address_can_be_marked_as_verified_and_as_unverified(writer: Caller, alice: Person) -> None:
    assert change(writer, alice, email_verified=True).json()["email_verified"] is True
    assert change(writer, alice, email_verified=False).json()["email_verified"] is False
    assert events_of(alice.id, "email.verified") == events_of(alice.id, "email.unverified") == APPLICATION


def test_display_name_roles_and_claims_are_replaced(writer: Caller, alice: Person) -> None:
    for name in ("author", "editor"):
        create_role(name, "", (), COMMAND_LINE)
    change(writer, alice, roles=["author"], claims={"plan": "free"})
    user = change(writer, alice, username="Alice", roles=["editor"], claims={"plan": "pro"}).json()
    assert (user["username"], user["roles"], user["claims"]) == ("Alice", ["editor"], {"plan": "pro"})
    assert events_of(alice.id, "role.revoked") == [(None, CLIENT_ID, "author")]
    assert events_of(alice.id, "user.display_name_changed") == APPLICATION
    assert change(writer, alice, roles=[], claims={}).json()["roles"] == []


def test_change_to_the_same_values_causes_no_event(writer: Caller, alice: Person) -> None:
    before = AuditEvent.objects.count()
    same = {"email": alice.email, "username": "", "active": True, "email_verified": False, "roles": [], "claims": {}}
    assert change(writer, alice, **same).status_code == change(writer, alice).status_code == 200
    assert AuditEvent.objects.count() == before
    assert alice.me().status_code == 200


def test_change_that_fails_in_part_changes_nothing(writer: Caller, alice: Person, bob: Person) -> None:
    before, events = writer.get(f"users/{alice.id}/"), AuditEvent.objects.count()
    changes = {"email": "alicia@example.com", "username": "Alicia", "email_verified": True, "active": False}
    assert_problem(change(writer, alice, **changes, roles=["nobody"]), 400, "invalid", ["roles"])
    assert_problem(change(writer, alice, **{**changes, "email": bob.email}), 400, "email_taken", ["email"])
    assert (writer.get(f"users/{alice.id}/"), AuditEvent.objects.count()) == (before, events)
    assert sent_mails() == []


@pytest.mark.parametrize("field", ["password", "password_hash", "staff", "id", "actve"])
def test_unknown_field_is_refused(writer: Caller, alice: Person, field: str) -> None:
    assert_problem(change(writer, alice, **{field: "x"}), 400, "invalid", [field])


def test_role_with_a_scope_that_the_caller_lacks_is_neither_granted_nor_revoked(writer: Caller, alice: Person) -> None:
    Scope.objects.create(name="billing:write", description="Bills")
    clerk = create_role("clerk", "", ["billing:write"], COMMAND_LINE)
    assert_problem(change(writer, alice, roles=["clerk"]), 403, "insufficient_scope")
    grant_role([alice.id], clerk, COMMAND_LINE)
    assert_problem(change(writer, alice, roles=[]), 403, "insufficient_scope")
    assert_problem(writer.send("DELETE", f"users/{alice.id}/"), 403, "insufficient_scope")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_staff_superusers_and_the_own_account_are_not_changed(http: httpx.Client, alice: Person, method: str) -> None:
    caller = person(http, READ, WRITE)
    assert_problem(caller.send(method, f"users/{caller.user_id}/", {}), 403, "permission_denied")
    for flag in ("is_staff", "is_superuser"):
        User.objects.filter(pk=alice.id).update(**{"is_staff": False, "is_superuser": False, flag: True})
        assert_problem(caller.send(method, f"users/{alice.id}/", {}), 403, "permission_denied")


@pytest.mark.parametrize("user_id", ["0", "999999", "01", "9" * 19, "9" * 40, "x", "-1", "1.0", "%00"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_id_of_nobody_is_not_found(writer: Caller, method: str, user_id: str) -> None:
    assert_problem(writer.send(method, f"users/{user_id}/", {} if method == "PATCH" else None), 404, "not_found")


@pytest.mark.parametrize("kind", KINDS)
def test_deletion_erases_the_account_for_every_kind_of_caller(http: httpx.Client, alice: Person, kind: str) -> None:
    caller = KINDS[kind](http, READ, WRITE)
    assert caller.send("DELETE", f"users/{alice.id}/").status_code == 204
    assert_problem(caller.send("GET", f"users/{alice.id}/"), 404, "not_found")
    assert (alice.me().status_code, try_login(http, alice.email).status_code) == (401, 401)
    ((actor, client_id, _),) = events_of(alice.id, "user.deleted")
    assert (actor, client_id) == (caller.user_id, caller.client_id)


def test_changes_of_a_person_need_a_recent_authentication_and_reading_does_not(
    clock: time_machine.Traveller, http: httpx.Client, alice: Person, set_policy: Any
) -> None:
    set_policy(access_token_lifetime=timedelta(hours=1))
    caller = person(http, READ, WRITE)
    clock.shift(timedelta(minutes=11))
    assert_problem(caller.send("PATCH", f"users/{alice.id}/", {"active": False}), 403, "step_up_required")
    assert_problem(caller.send("DELETE", f"users/{alice.id}/"), 403, "step_up_required")
    assert_problem(caller.send("POST", "users/", {}), 403, "step_up_required")
    assert caller.send("GET", f"users/{alice.id}/").status_code == 200
