"""DELETE /api/me/: deletion of the own account and of its personal data."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group

from latchkey.accounts.models import User
from latchkey.api_keys.models import ApiKey
from latchkey.audit.models import AuditEvent
from latchkey.email_codes.models import OneTimeCode
from latchkey.factors import recovery_codes
from latchkey.factors.delayed_recovery import FactorRecovery
from latchkey.factors.tickets import TicketPurpose, issue_ticket
from latchkey.factors.totp import begin_enrolment
from latchkey.mail.models import Mail, MailKind
from latchkey.mail.outbox import enqueue
from latchkey.passkeys.models import Passkey
from latchkey.rate_limits.models import Attempt
from latchkey.sessions.models import Session
from tests.authorization.members import claim, grant
from tests.fixtures.admin import SUPERUSER_EMAIL
from tests.people import PASSWORD, Person, try_login, try_register
from tests.problems import assert_problem
from tests.support.admin_pages import Browser, save_user


def delete_account(person: Person, password: Any = PASSWORD) -> httpx.Response:
    return person.http.request("DELETE", "/api/me/", json={"password": password}, headers=person.bearer())


def user_reference_fields() -> list[Any]:
    """Return every column of any table that references a user."""
    columns = [field for model in apps.get_models(include_auto_created=True) for field in model._meta.fields]
    return [field for field in columns if field.related_model is User or field.name == "user_id"]


def count_rows(person: Person) -> dict[str, int]:
    """Return the number of rows of a user by table."""
    counted = {
        field.model.__name__: field.model._default_manager.filter(**{field.attname: person.id}).count()
        for field in user_reference_fields()
    }
    return {name: count for name, count in counted.items() if count}


def create_all_rows(person: Person) -> None:
    """Create a row of the user in every table that can have one."""
    user = User.objects.get(pk=person.id)
    group = Group.objects.create(name="staff")
    user.groups.add(group)
    user.user_permissions.add(*apps.get_model("auth", "Permission").objects.all()[:1])
    now = datetime.now(UTC)
    grant(person, "editor")
    claim(person, {"department": "sales"})
    OneTimeCode.objects.create(
        user=user,
        purpose="password_reset",
        token_digest=bytes(32),
        code_digest=bytes(32),
        email=user.email,
        credential_version=0,
        created_at=now,
        expires_at=now,
    )
    begin_enrolment(user)
    recovery_codes.renew(user.pk)
    Passkey.objects.create(
        user=user,
        credential_id=bytes(16),
        public_key=bytes(77),
        rp_id="localhost",
        sign_count=0,
        aaguid=UUID(int=0),
        backup_eligible=False,
        backed_up=False,
        user_verified=True,
        name="laptop",
    )
    issue_ticket(TicketPurpose.STEP_UP, now, user)
    FactorRecovery.objects.create(
        user=user, credential_version=0, email=user.email, requested_at=now, due_at=now, next_notice_at=now
    )
    ApiKey.objects.create(user=user, key_id="abcdef", digest=bytes(32), name="Backup", scopes="users:read")
    enqueue(MailKind.PASSWORD_RESET, user.email, {"code": "123456"}, user.pk)
    LogEntry.objects.log_actions(user.pk, [user], 2, change_message="Deactivated.")


@pytest.mark.ledger("ASVS-7.4.2")
def test_delete_account_deletes_the_user_and_ends_all_sessions_at_once(alice: Person, bob: Person) -> None:
    phone = Person(alice.http, alice.email).login()
    answer = delete_account(alice)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    for device in (alice, phone):
        assert_problem(device.me(), 401, "invalid_token")
        assert_problem(device.try_refresh(), 401, "invalid_refresh_token")
    assert_problem(try_login(alice.http), 401, "invalid_credentials")
    assert bob.me().status_code == bob.try_refresh().status_code == 200
    assert not User.objects.filter(email=alice.email).exists()


def test_delete_account_retried_after_a_lost_response_gets_401_invalid_token(alice: Person) -> None:
    assert delete_account(alice).status_code == 204
    assert_problem(delete_account(alice), 401, "invalid_token")


def test_create_all_rows_fills_every_table_that_references_a_user(alice: Person) -> None:
    create_all_rows(alice)
    tables = {field.model.__name__ for field in user_reference_fields()}
    assert set(count_rows(alice)) == tables
    assert {
        "Session",
        "OneTimeCode",
        "Mail",
        "AuditEvent",
        "LogEntry",
        "User_groups",
        "User_user_permissions",
    } <= tables


def test_delete_account_leaves_only_audit_events_without_ip_and_user_agent(alice: Person, bob: Person) -> None:
    create_all_rows(alice)
    enqueue(MailKind.REGISTRATION_OF_KNOWN_ADDRESS, alice.email, {})
    enqueue(MailKind.NEW_DEVICE, bob.email, {}, bob.id)
    sent = Mail.objects.create(
        kind="x", to_address=alice.email, encrypted_context=b"", user_id=bob.id, sent_at=datetime.now(UTC)
    )
    before = count_rows(bob)
    assert delete_account(alice).status_code == 204
    assert list(count_rows(alice)) == ["AuditEvent"]
    events = AuditEvent.objects.filter(user_id=alice.id)
    assert {(each.ip, each.user_agent, each.notification_pending) for each in events} == {(None, "", False)}
    assert list(Mail.objects.exclude(pk=sent.pk).values_list("to_address", flat=True)) == [bob.email]
    assert count_rows(bob) == before
    assert AuditEvent.objects.filter(user_id=bob.id, ip="127.0.0.1").count() == 2


def test_delete_account_keeps_the_audit_events_of_the_user_in_order(alice: Person) -> None:
    delete_account(alice, "not that one")
    delete_account(alice)
    names = AuditEvent.objects.filter(user_id=alice.id).order_by("id").values_list("name", flat=True)
    assert list(names) == ["user.registered", "login.succeeded", "password.refused", "user.deleted"]


def test_delete_account_removes_the_email_from_the_admin_history(admin: Browser, alice: Person) -> None:
    save_user(admin, alice.id, username="Alice")
    entry = LogEntry.objects.get(object_id=str(alice.id))
    assert entry.object_repr == alice.email
    delete_account(alice)
    entry.refresh_from_db()
    assert (entry.object_repr, entry.user.email) == (f"user {alice.id}", SUPERUSER_EMAIL)


@pytest.mark.ledger("ASVS-7.5.1", "ASVS-7.5.3")
@pytest.mark.parametrize("wrong", ["not that one", PASSWORD.upper(), f"{PASSWORD} ", " "])
def test_delete_account_with_a_wrong_password_changes_nothing(alice: Person, wrong: str) -> None:
    assert_problem(delete_account(alice, wrong), 400, "wrong_password", ["password"])
    assert alice.me().status_code == alice.try_refresh().status_code == 200


@pytest.mark.parametrize("body", [{}, {"password": ""}, {"password": None}, {"password": 5}, {"password": ["x"]}])
def test_delete_account_without_a_valid_password_or_token_changes_nothing(alice: Person, body: dict[str, Any]) -> None:
    answer = alice.http.request("DELETE", "/api/me/", json=body, headers=alice.bearer())
    assert_problem(answer, 400, "invalid", ["password"])
    assert_problem(alice.http.delete("/api/me", headers=alice.bearer()), 400, "invalid", ["password"])
    assert_problem(delete_account(alice, "x" * 257), 400, "password_too_long", ["password"])
    assert_problem(alice.http.request("DELETE", "/api/me/", json={"password": PASSWORD}), 401, "not_authenticated")
    assert alice.me().status_code == 200


def test_delete_account_refuses_the_password_and_id_of_another_user(alice: Person, bob: Person) -> None:
    bob_again = Person(bob.http, "carol@example.com", "another good long one").register().login()
    body = {"password": "another good long one", "id": bob_again.id, "email": bob_again.email}
    answer = alice.http.request("DELETE", "/api/me/", json=body, headers=alice.bearer())
    assert_problem(answer, 400, "wrong_password", ["password"])
    assert User.objects.count() == 3


@pytest.mark.ledger("ASVS-6.3.1")
def test_delete_account_rate_limits_password_guesses_together_with_login(
    alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(failures_per_account=3)
    for _ in range(3):
        assert_problem(delete_account(alice, "not that one"), 400, "wrong_password", ["password"])
    waiting = delete_account(alice)
    assert_problem(waiting, 429, "too_many_attempts")
    assert_problem(try_login(alice.http), 429, "too_many_attempts")
    assert User.objects.filter(pk=alice.id).exists()


def test_delete_account_refuses_the_last_active_superuser(http: httpx.Client) -> None:
    boss, deputy = (User.objects.create_superuser(f"{name}@example.com", PASSWORD) for name in ("boss", "deputy"))
    User.objects.create_superuser("gone@example.com", PASSWORD, is_active=False)
    people = [Person(http, user.email, id=user.pk).login() for user in (boss, deputy)]
    assert delete_account(people[0]).status_code == 204
    assert_problem(delete_account(people[1]), 403, "last_superuser")
    assert people[1].me().status_code == people[1].try_refresh().status_code == 200
    charged = Attempt.objects.filter(failures__gt=0).values_list("failures", flat=True)
    assert list(charged) == [4]  # of all sign-ins and reauthentications of the address, which are not refunded
    through_http = AuditEvent.objects.filter(user_id=deputy.pk).exclude(name="user.registered")  # at the command line
    assert set(through_http.values_list("ip", flat=True)) == {"127.0.0.1"}


def test_delete_account_does_not_free_the_user_id(alice: Person, bob: Person) -> None:
    assert bob.id == User.objects.latest("id").pk
    delete_account(bob)
    again = try_register(bob.http, bob.email)
    assert again.json()["id"] > bob.id


def test_deleted_user_can_register_again_and_finds_no_old_data(alice: Person) -> None:
    delete_account(alice)
    alice.register().login()
    events = alice.http.get("/api/me/events/", headers=alice.bearer()).json()["events"]
    assert [each["event"] for each in events] == ["login.succeeded", "user.registered"]
    assert Session.objects.count() == 1


def test_delete_account_statement_count_does_not_grow_with_the_data(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    """The counts are for a user with six sessions and five mails, and would be the same with fewer."""
    for _ in range(5):
        Person(alice.http, alice.email).login()
        enqueue(MailKind.NEW_DEVICE, alice.email, {}, alice.id)
    assert len(statements(lambda: delete_account(alice, "not that one"))) == 4
    assert len(statements(lambda: delete_account(alice))) <= 24
