"""/api/me/keys/: create, list and revoke one's own API keys, and what each does to events and mails."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.api_keys.manage import MAX_KEYS
from latchkey.api_keys.models import ApiKey
from latchkey.audit.log import COMMAND_LINE
from latchkey.audit.models import AuditEvent
from latchkey.authorization.models import Role
from latchkey.authorization.roles import revoke_role
from latchkey.mail.notices import process_pending
from tests.api_keys.requests import create, grant_scopes, list_keys, try_create, try_revoke, use
from tests.outbox import last_mail, sent_mails
from tests.people import Person
from tests.problems import assert_problem

SetPolicy = Callable[..., None]


def events(name: str) -> list[tuple[int | None, str]]:
    return list(AuditEvent.objects.filter(name=name).order_by("id").values_list("user_id", "detail"))


def test_new_key_is_shown_once_and_stored_as_a_digest(alice: Person) -> None:
    answer = try_create(alice)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    created = answer.json()
    key = created.pop("key")
    assert key.startswith(f"latchkey_p{created['id']}")
    assert len(key) == 65
    assert list_keys(alice) == [created]
    row = ApiKey.objects.get()
    assert key not in repr(row.__dict__)
    assert len(bytes(row.digest)) == 32


def test_new_key_says_who_its_owner_is(alice: Person) -> None:
    answer = use(alice.http, create(alice)["key"])
    assert (answer.status_code, answer.json()["email"]) == (200, "alice@example.com")


def test_key_lives_90_days_where_nothing_is_said(clock: time_machine.Traveller, alice: Person) -> None:
    created = create(alice)
    assert (created["created_at"], created["expires_at"]) == (
        "2030-01-01T12:00:00Z",
        "2030-04-01T12:00:00Z",
    )


def test_key_lives_no_longer_than_the_policy_allows(
    clock: time_machine.Traveller, alice: Person, set_policy: SetPolicy
) -> None:
    assert try_create(alice, expires_in_days=366).status_code == 201
    answer = try_create(alice, expires_in_days=367)
    assert_problem(answer, 400, "invalid")
    assert answer.json()["errors"] == {"expires_in_days": ["Write a number of days from 1 to 366."]}
    set_policy(api_key_max_age=30)
    assert create(alice)["expires_at"] == create(alice, expires_in_days=30)["expires_at"] == "2030-01-31T12:00:00Z"
    assert_problem(try_create(alice, expires_in_days=31), 400, "invalid")


def test_key_without_expiry_needs_a_policy_without_a_limit(alice: Person, set_policy: SetPolicy) -> None:
    answer = try_create(alice, expires_in_days=None)
    assert answer.json()["errors"] == {"expires_in_days": ["A key lives for at most 366 days."]}
    set_policy(api_key_max_age=0)
    assert create(alice, expires_in_days=None)["expires_at"] is None


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "a\nb"},
        {"name": "\u202e\u0007"},
        {"name": "x" * 101},
        {"name": 5},
        {"scopes": "users:read"},
        {"scopes": [5]},
        {"scopes": ["users:read"] * 101},
        {"scopes": [["users:read"]]},
        {"expires_in_days": 0},
        {"expires_in_days": "90"},
        {"expires_in_days": True},
        {"expires_in_days": 1.5},
        {"expires_in_days": 10**30},
    ],
)
def test_malformed_field_is_named(alice: Person, fields: dict[str, Any]) -> None:
    answer = try_create(alice, **fields)
    assert_problem(answer, 400, "invalid")
    assert list(answer.json()["errors"]) == list(fields)
    assert not ApiKey.objects.exists()


def test_key_has_no_scope_that_its_owner_lacks(alice: Person) -> None:
    grant_scopes(alice, "users:read")
    assert create(alice, "users:read", "users:read")["scopes"] == ["users:read"]
    for lacking in ("users:write", "no:such"):
        answer = try_create(alice, scopes=["users:read", lacking])
        assert answer.json()["errors"] == {"scopes": [f"The owner of the key does not have the scope '{lacking}'."]}


def test_role_that_was_revoked_gives_no_scope_to_a_new_key(alice: Person) -> None:
    role: Role = grant_scopes(alice, "users:read")
    revoke_role([alice.id], role, COMMAND_LINE)
    assert try_create(alice, scopes=["users:read"]).status_code == 400


def test_owner_has_at_most_50_keys(alice: Person, bob: Person) -> None:
    create(alice)
    template = ApiKey.objects.get()
    ApiKey.objects.bulk_create(
        ApiKey(key_id=f"k{number:05}", digest=bytes([number]) * 32, user_id=template.user_id, name="x")
        for number in range(MAX_KEYS - 1)
    )
    answer = try_create(alice)
    assert_problem(answer, 400, "invalid")
    assert answer.json()["errors"] == {"body": ["There are 50 API keys already; revoke one first."]}
    assert try_revoke(alice, template.key_id).status_code == 204
    assert try_create(alice).status_code == 201
    assert try_create(bob).status_code == 201


def test_same_idempotency_key_makes_a_second_key(alice: Person) -> None:
    """No answer shows a key twice: its owner sees both in the list, and revokes the one whose answer was lost."""
    headers = alice.bearer() | {"Idempotency-Key": "0123456789abcdef"}
    made = [alice.http.post("/api/me/keys/", json={"name": "x"}, headers=headers).json() for _ in range(2)]
    assert made[0]["key"] != made[1]["key"]
    assert [key["id"] for key in list_keys(alice)] == [made[1]["id"], made[0]["id"]]


def test_revoked_key_is_refused_at_the_next_request(alice: Person) -> None:
    created = create(alice)
    assert try_revoke(alice, created["id"]).status_code == 204
    assert_problem(use(alice.http, created["key"]), 401, "invalid_token")
    assert list_keys(alice) == []
    assert_problem(try_revoke(alice, created["id"]), 404, "not_found")


@pytest.mark.parametrize("key_id", ["abcdef", "abc", "abcdefg", "%00%00", "äöü", "' OR 1", "1"])
def test_unknown_id_is_not_found(alice: Person, key_id: str) -> None:
    assert_problem(try_revoke(alice, key_id), 404, "not_found")


def test_key_of_somebody_else_is_neither_listed_nor_revoked(alice: Person, bob: Person) -> None:
    created = create(alice)
    assert list_keys(bob) == []
    assert_problem(try_revoke(bob, created["id"]), 404, "not_found")
    assert use(alice.http, created["key"]).status_code == 200


def test_session_that_proved_nothing_for_ten_minutes_makes_and_revokes_no_key(
    clock: time_machine.Traveller, http: httpx.Client
) -> None:
    alice = Person(http, "alice@example.com").register().login()
    created = create(alice)
    clock.shift(timedelta(minutes=10))
    alice.refresh()
    assert_problem(try_create(alice), 403, "step_up_required")
    assert_problem(try_revoke(alice, created["id"]), 403, "step_up_required")
    assert list_keys(alice) == [{name: value for name, value in created.items() if name != "key"}]


def test_key_makes_and_revokes_no_key(alice: Person) -> None:
    created = create(alice)
    with_key = Person(alice.http, alice.email, access_token=created["key"])
    for answer in (
        try_create(with_key),
        try_revoke(with_key, created["id"]),
        alice.http.get("/api/me/keys/", headers=with_key.bearer()),
    ):
        assert_problem(answer, 403, "permission_denied")


def test_owner_of_an_unverified_address_makes_no_key_where_addresses_are_verified(
    http: httpx.Client, set_policy: SetPolicy
) -> None:
    """Whoever registers with a stranger's address must leave nothing behind (account pre-hijacking)."""
    set_policy(email_verification="optional")
    mallory = Person(http, "victim@example.com").register().login()
    assert_problem(try_create(mallory), 403, "email_not_verified")


def test_events_have_the_id_of_the_key(alice: Person) -> None:
    created = create(alice)
    try_revoke(alice, created["id"])
    assert events("api_key.created") == events("api_key.revoked") == [(alice.id, created["id"])]
    assert created["key"][16:] not in repr(list(AuditEvent.objects.values()))


def test_owner_is_told_by_mail(alice: Person) -> None:
    created = create(alice)
    while process_pending():
        pass
    mail = last_mail("alice@example.com")
    assert mail.kind == "api_key_created"
    assert mail.context["key_id"] == created["id"]
    assert created["key"] not in repr([sent.context for sent in sent_mails()])


def test_list_takes_one_statement_besides_that_of_the_token(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    create(alice)
    create(alice)
    assert len(statements(lambda: list_keys(alice))) == 2
