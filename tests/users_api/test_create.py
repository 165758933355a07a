"""POST /api/users/: a user with a password, with a hash, or with an invitation."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.test.utils import override_settings

from latchkey.accounts.models import User
from latchkey.audit.log import COMMAND_LINE
from latchkey.audit.models import AuditEvent
from latchkey.authorization.models import Scope
from latchkey.authorization.roles import create_role
from tests.outbox import last_mail, sent_mails
from tests.people import PASSWORD, Person, try_login, try_register
from tests.problems import assert_problem
from tests.users_api.callers import CLIENT_ID, KINDS, READ, WRITE, Caller, application, events_of

EMAIL = "carl@example.com"


@pytest.fixture
def writer(http: httpx.Client) -> Caller:
    return application(http, READ, WRITE)


def create(writer: Caller, **fields: Any) -> httpx.Response:
    return writer.send("POST", "users/", {"email": EMAIL} | fields)


def test_created_user_can_sign_in_with_the_password(writer: Caller) -> None:
    answer = create(writer, email=" Carl@Example.com", password=PASSWORD, username="Carl", email_verified=True)
    assert answer.status_code == 201, answer.text
    user = answer.json()
    assert (user["email"], user["username"], user["email_verified"]) == (EMAIL, "Carl", True)
    assert writer.get(f"users/{user['id']}/") == user
    assert try_login(writer.http, EMAIL).status_code == 200


def test_created_user_can_sign_in_with_the_password_of_the_hash(writer: Caller) -> None:
    assert create(writer, password_hash=make_password(PASSWORD, hasher="pbkdf2_sha256")).status_code == 201
    assert try_login(writer.http, EMAIL).status_code == 200


def test_invited_user_gets_a_link_that_sets_a_password_and_verifies_the_address(writer: Caller) -> None:
    user = create(writer, invite=True).json()
    assert try_login(writer.http, EMAIL).status_code == 401
    mail = last_mail(EMAIL)
    assert (mail.kind, mail.context["days"], "code" in mail.context) == ("invitation", "7", False)
    accepted = {"token": mail.token, "new_password": PASSWORD}
    assert writer.http.post("/api/password/reset/confirm/", json=accepted).status_code == 200
    assert try_login(writer.http, EMAIL).status_code == 200
    assert writer.get(f"users/{user['id']}/")["email_verified"] is True
    assert events_of(user["id"], "user.invited") == [(None, CLIENT_ID, "application")]


def test_invitation_works_for_7_days(clock: time_machine.Traveller, writer: Caller) -> None:
    for email, hours, status in (("carl@example.com", 7 * 24 - 1, 200), ("dora@example.com", 7 * 24 + 1, 400)):
        assert create(application(writer.http, READ, WRITE), email=email, invite=True).status_code == 201
        clock.shift(timedelta(hours=hours))
        accepted = {"token": last_mail(email).token, "new_password": PASSWORD}
        assert writer.http.post("/api/password/reset/confirm/", json=accepted).status_code == status


def test_invitation_without_a_mail_server_is_503_and_creates_nobody(writer: Caller) -> None:
    with override_settings(MAIL_SERVER=None):
        assert_problem(create(writer, invite=True), 503, "unavailable")
    assert not User.objects.filter(email=EMAIL).exists()


def test_user_is_created_with_roles_and_claims(writer: Caller) -> None:
    create_role("editor", "", (), COMMAND_LINE)
    user = create(writer, password=PASSWORD, roles=["editor"], claims={"plan": "pro"}).json()
    assert (user["roles"], user["claims"]) == (["editor"], {"plan": "pro"})
    assert events_of(user["id"], "role.granted") == [(None, CLIENT_ID, "editor")]


def test_creation_is_an_event_with_the_application_as_actor(writer: Caller) -> None:
    user = create(writer, password=PASSWORD).json()
    assert events_of(user["id"], "user.registered") == [(None, CLIENT_ID, "application")]


@pytest.mark.parametrize("kind", KINDS)
def test_creation_is_for_every_kind_of_caller_with_the_scope_to_write(http: httpx.Client, kind: str) -> None:
    caller = KINDS[kind](http, READ, WRITE)
    user = create(caller, password=PASSWORD).json()
    ((actor, client_id, _),) = events_of(user["id"], "user.registered")
    assert (actor, client_id) == (caller.user_id, caller.client_id)


@pytest.mark.parametrize("kind", KINDS)
def test_creation_is_refused_without_the_scope_to_write(http: httpx.Client, kind: str) -> None:
    assert_problem(create(KINDS[kind](http, READ), password=PASSWORD), 403, "insufficient_scope")


def test_creation_works_while_registration_is_closed(writer: Caller, set_policy: Any) -> None:
    set_policy(registration_open=False)
    assert create(writer, password=PASSWORD).status_code == 201


def test_address_of_another_account_is_refused(writer: Caller, alice: Person) -> None:
    assert_problem(create(writer, email="Alice@example.com", password=PASSWORD), 400, "email_taken", ["email"])


def test_registration_does_not_take_over_a_user_whom_a_back_end_has_created(writer: Caller, set_policy: Any) -> None:
    create(writer, password=PASSWORD)
    set_policy(email_verification="required")
    assert try_register(writer.http, EMAIL, "another long password").status_code == 202
    assert last_mail(EMAIL).kind == "registration_of_known_address"


@pytest.mark.parametrize(
    ("fields", "code", "names"),
    [
        ({}, "invalid", ["password", "password_hash", "invite"]),
        ({"invite": False}, "invalid", ["password", "password_hash", "invite"]),
        ({"password": PASSWORD, "invite": True}, "invalid", ["password", "password_hash", "invite"]),
        ({"password": "short"}, "password_too_short", ["password"]),
        ({"password": "x" * 257}, "password_too_long", ["password"]),
        ({"password_hash": "$2b$10$broken"}, "invalid", ["password_hash"]),
        ({"password": PASSWORD, "staff": True}, "invalid", ["staff"]),
        ({"password": PASSWORD, "email_verified": "true"}, "invalid", ["email_verified"]),
        ({"password": PASSWORD, "roles": ["nobody"]}, "invalid", ["roles"]),
        ({"password": PASSWORD, "claims": {"text": "x" * 1_100}}, "invalid", ["claims"]),
        ({"password": PASSWORD, "claims": []}, "invalid", ["claims"]),
        ({"password": PASSWORD, "email": "nobody"}, "invalid", ["email"]),
    ],
)
def test_creation_that_is_not_valid_leaves_nothing(
    writer: Caller, fields: dict[str, Any], code: str, names: list[str]
) -> None:
    assert_problem(create(writer, **fields), 400, code, names)
    assert not User.objects.exists()
    assert not AuditEvent.objects.filter(name="user.registered").exists()
    assert sent_mails() == []


def test_role_with_a_scope_that_the_caller_lacks_is_refused(writer: Caller) -> None:
    Scope.objects.create(name="billing:write", description="Bills")
    create_role("clerk", "", ["billing:write"], COMMAND_LINE)
    assert_problem(create(writer, password=PASSWORD, roles=["clerk"]), 403, "insufficient_scope")
    assert not User.objects.exists()
