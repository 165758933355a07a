"""API keys of a user over the API for back ends: list them, revoke one."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from latchkey.api_keys.models import ApiKey
from tests.api_keys.requests import create, create_application, create_of_application, list_keys, use
from tests.people import Person
from tests.problems import assert_problem
from tests.users_api.callers import KINDS, READ, WRITE, application, events_of


def test_list_of_keys_is_that_of_their_owner_and_has_no_key(http: httpx.Client, alice: Person, bob: Person) -> None:
    first, second = create(alice), create(alice, name="Second")
    create(bob)
    crm = application(http, READ)
    found = crm.get(f"users/{alice.id}/keys/")
    assert [key["id"] for key in found] == [second["id"], first["id"]]
    assert found == list_keys(alice)
    assert list(found[0]) == ["id", "name", "scopes", "created_at", "expires_at", "last_used_at"]


@pytest.mark.parametrize("kind", KINDS)
def test_revoked_key_is_refused_at_the_next_request(http: httpx.Client, alice: Person, kind: str) -> None:
    revoked, kept = create(alice), create(alice)
    caller = KINDS[kind](http, WRITE)
    assert use(http, revoked["key"]).status_code == 200
    answer = caller.send("DELETE", f"users/{alice.id}/keys/{revoked['id']}/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert_problem(use(http, revoked["key"]), 401, "invalid_token")
    assert use(http, kept["key"]).status_code == 200
    assert events_of(alice.id, "api_key.revoked") == [(caller.user_id, caller.client_id, revoked["id"])]


def test_key_that_is_not_the_users_is_not_found(http: httpx.Client, alice: Person, bob: Person) -> None:
    his = create(bob)
    of_application = create_of_application(create_application("backup"))
    crm = application(http, WRITE)
    for key_id in (his["id"], of_application[10:16], "aaaaaa", "x", "%00%00%00", "a" * 400, "%2e%2e", his["key"]):
        assert_problem(crm.send("DELETE", f"users/{alice.id}/keys/{key_id}/"), 404, "not_found")
    assert ApiKey.objects.count() == 2
    mine = create(alice)
    path = f"users/{alice.id}/keys/{mine['id']}/"
    assert crm.send("DELETE", path).status_code == 204
    assert_problem(crm.send("DELETE", path), 404, "not_found")


def test_list_of_keys_takes_the_same_statements_for_many(
    http: httpx.Client, alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    crm = application(http, READ)
    few = len(statements(lambda: crm.get(f"users/{alice.id}/keys/")))
    for _ in range(5):
        create(alice)
    assert len(statements(lambda: crm.get(f"users/{alice.id}/keys/"))) == few == 3
