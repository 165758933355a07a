"""Roles and custom claims of a user, over the API for back ends."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import jwt
import pytest

from latchkey.accounts.models import User
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.models import Role, Scope, UserRole
from latchkey.authorization.roles import create_role, grant_role
from tests.people import Person
from tests.problems import assert_problem
from tests.users_api.callers import DEVICE, KINDS, READ, WRITE, application, events_of, person


def claims_of(alice: Person) -> dict[str, Any]:
    """Return the claims of the access token of the next refresh."""
    decoded: dict[str, Any] = jwt.decode(alice.refresh().access_token, options={"verify_signature": False})
    return decoded


@pytest.fixture
def editor(db: None) -> Role:
    """A role with a scope."""
    Scope.objects.create(name="articles:write", description="Write articles.")
    return create_role("editor", "Writes articles.", ["articles:write"], COMMAND_LINE)


EDITOR = {"name": "editor", "description": "Writes articles.", "scopes": ["articles:write"]}


def test_list_of_roles_has_their_descriptions_and_scopes(http: httpx.Client, editor: Role) -> None:
    create_role("admin", "", [WRITE, READ], COMMAND_LINE)
    assert application(http, READ).get("roles/") == [
        {"name": "admin", "description": "", "scopes": [READ, WRITE]},
        EDITOR,
    ]


def test_list_of_roles_is_empty_without_any(http: httpx.Client) -> None:
    assert application(http, READ).get("roles/") == []


def test_list_of_roles_needs_the_scope(http: httpx.Client, alice: Person) -> None:
    assert_problem(http.get("/api/roles/"), 401, "not_authenticated")
    assert_problem(http.get("/api/roles/", headers=alice.bearer()), 403, "insufficient_scope")
    assert_problem(application(http, WRITE).send("GET", "roles/"), 403, "insufficient_scope")
    assert_problem(application(http, READ).send("GET", "roles/?x=1"), 403, "insufficient_scope")


def test_granted_role_is_in_the_list_and_in_the_next_token(http: httpx.Client, alice: Person, editor: Role) -> None:
    crm = application(http, READ, WRITE, "articles:write")
    assert crm.get(f"users/{alice.id}/roles/") == []
    answer = crm.send("PUT", f"users/{alice.id}/roles/editor/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert crm.get(f"users/{alice.id}/roles/") == [EDITOR]
    assert claims_of(alice)["roles"] == ["editor"]
    assert events_of(alice.id, "role.granted") == [(None, "crm", "editor")]


def test_revoked_role_is_gone_at_the_next_request(http: httpx.Client, alice: Person, editor: Role) -> None:
    crm = application(http, READ, WRITE, "articles:write")
    grant_role([alice.id], editor, COMMAND_LINE)
    answer = crm.send("DELETE", f"users/{alice.id}/roles/editor/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert crm.get(f"users/{alice.id}/roles/") == []
    assert "roles" not in claims_of(alice)
    assert events_of(alice.id, "role.revoked") == [(None, "crm", "editor")]


def test_grant_and_revocation_may_be_repeated_and_are_one_event(
    http: httpx.Client, alice: Person, editor: Role
) -> None:
    crm = application(http, WRITE, "articles:write")
    for method in ("PUT", "PUT", "DELETE", "DELETE"):
        assert crm.send(method, f"users/{alice.id}/roles/editor/").status_code == 204
    assert len(events_of(alice.id, "role.granted")) == len(events_of(alice.id, "role.revoked")) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_caller_grants_no_role_with_a_scope_that_it_lacks(
    http: httpx.Client, alice: Person, editor: Role, kind: str
) -> None:
    answer = KINDS[kind](http, READ, WRITE).send("PUT", f"users/{alice.id}/roles/editor/")
    assert_problem(answer, 403, "insufficient_scope")
    assert answer.json()["scope"] == "articles:write"
    assert not UserRole.objects.filter(user=alice.id).exists()
    assert events_of(alice.id, "role.granted") == []


def test_person_who_grants_a_role_is_the_actor(http: httpx.Client, alice: Person) -> None:
    create_role("viewer", "", [], COMMAND_LINE)
    carol = person(http, WRITE)
    assert carol.send("PUT", f"users/{alice.id}/roles/viewer/").status_code == 204
    assert events_of(alice.id, "role.granted") == [(carol.user_id, "", "viewer")]


@pytest.mark.parametrize("name", ["unknown", "Editor", "editor%00", "x" * 65, "-", "%2e%2e", "editor%20"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_unknown_role_is_not_found(http: httpx.Client, alice: Person, editor: Role, method: str, name: str) -> None:
    crm = application(http, WRITE, "articles:write")
    assert_problem(crm.send(method, f"users/{alice.id}/roles/{name}/"), 404, "not_found")


def test_role_that_makes_a_token_too_long_is_refused(http: httpx.Client, alice: Person) -> None:
    crm = application(http, READ, WRITE)
    for number in range(16):
        create_role(f"{number:02}{'x' * 62}", "", [], COMMAND_LINE)
    statuses = []
    for role in Role.objects.order_by("name"):
        answer = crm.send("PUT", f"users/{alice.id}/roles/{role.name}/")
        statuses.append(answer.status_code)
    assert statuses == [204] * 15 + [400]
    assert_problem(answer, 400, "invalid", ["role"])
    assert len(crm.get(f"users/{alice.id}/roles/")) == 15


def test_claims_are_replaced_as_a_whole_and_stand_in_the_next_token(http: httpx.Client, alice: Person) -> None:
    crm = application(http, READ, WRITE)
    path = f"users/{alice.id}/claims/"
    assert crm.get(path) == {}
    for claims in ({"plan": "pro", "seats": 5}, {"plan": {"name": "Käse", "since": [1, 2.5, None, True]}}):
        answer = crm.send("PUT", path, claims)
        assert (answer.status_code, answer.json()) == (200, claims)
        assert crm.get(path) == claims
        assert claims_of(alice)["claims"] == claims
    assert events_of(alice.id, "claims.changed") == [(None, "crm", "application")] * 2


def test_empty_claims_remove_the_claim(http: httpx.Client, alice: Person) -> None:
    crm = application(http, READ, WRITE)
    crm.send("PUT", f"users/{alice.id}/claims/", {"plan": "pro"})
    assert crm.send("PUT", f"users/{alice.id}/claims/", {}).json() == {}
    assert User.objects.get(pk=alice.id).token_claims == ""
    assert "claims" not in claims_of(alice)


def test_same_claims_again_are_no_event(http: httpx.Client, alice: Person) -> None:
    crm = application(http, WRITE)
    for _ in range(2):
        assert crm.send("PUT", f"users/{alice.id}/claims/", {"plan": "pro"}).status_code == 200
    assert len(events_of(alice.id, "claims.changed")) == 1


@pytest.mark.parametrize("claims", [{"x": "a\0"}, {"x": "y" * 1_017}, {"x": "ä" * 170}], ids=["NUL", "long", "UTF-16"])
def test_claims_that_cannot_be_stored_are_refused_with_a_sentence(
    http: httpx.Client, alice: Person, claims: dict[str, Any]
) -> None:
    answer = application(http, WRITE).send("PUT", f"users/{alice.id}/claims/", claims)
    assert_problem(answer, 400, "invalid", ["claims"])
    assert User.objects.get(pk=alice.id).claims is None


def test_longest_claims_are_taken(http: httpx.Client, alice: Person) -> None:
    assert application(http, WRITE).send("PUT", f"users/{alice.id}/claims/", {"x": "y" * 1_016}).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[]", "parse_error"),
        (b"", "parse_error"),
        (b'{"a": 1, "a": 2}', "duplicate_key"),
        (b'{"a": NaN}', "parse_error"),
    ],
)
def test_claims_that_are_no_json_object_are_refused(http: httpx.Client, alice: Person, body: bytes, code: str) -> None:
    crm = application(http, WRITE)
    headers = {"Authorization": f"Bearer {crm.token}", "Content-Type": "application/json"}
    answer = http.put(f"/api/users/{alice.id}/claims/", content=body, headers=headers)
    assert_problem(answer, 400, code)


def test_half_a_surrogate_pair_in_claims_is_refused(http: httpx.Client, alice: Person) -> None:
    crm = application(http, WRITE)
    headers = {"Authorization": f"Bearer {crm.token}", "Content-Type": "application/json"}
    answer = http.put(f"/api/users/{alice.id}/claims/", content=rb'{"x": "\ud800"}', headers=headers)
    assert_problem(answer, 400, "invalid", ["claims"])


def test_claims_named_like_registered_ones_replace_none_of_them(http: httpx.Client, alice: Person) -> None:
    """CVE-2024-29892: custom claims stand in one claim of their own."""
    forged = {"sub": "1", "user_id": 1, "roles": ["admin"], "exp": 2**40, "scope": WRITE, "client_id": "x"}
    assert application(http, WRITE).send("PUT", f"users/{alice.id}/claims/", forged).status_code == 200
    claims = claims_of(alice)
    assert claims.pop("claims") == forged
    assert (claims["sub"], claims["user_id"]) == (str(alice.id), alice.id)
    assert not {"roles", "scope", "client_id"} & claims.keys()
    assert alice.me().status_code == 200


def test_history_of_the_user_names_neither_address_nor_device_of_the_application(
    http: httpx.Client, alice: Person
) -> None:
    application(http, WRITE).send("PUT", f"users/{alice.id}/claims/", {"plan": "pro"})
    (event,) = (
        each
        for each in http.get("/api/me/events/", headers=alice.bearer()).json()["events"]
        if each["event"] == "claims.changed"
    )
    assert (event["ip"], event["device"], event["reason"]) == (None, "", "")
    exported = http.get("/api/me/export/", headers=alice.bearer()).json()["events"]
    (event,) = (each for each in exported if each["name"] == "claims.changed")
    assert (event["ip"], event["user_agent"]) == (None, "")
    assert DEVICE not in str(exported)


def test_list_of_roles_takes_the_same_statements_for_many(
    http: httpx.Client, alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    crm = application(http, READ)
    for number in range(2):
        grant_role([alice.id], create_role(f"role-{number}", "", [READ], COMMAND_LINE), COMMAND_LINE)
    few = [len(statements(partial(crm.get, path))) for path in ("roles/", f"users/{alice.id}/roles/")]
    for number in range(2, 12):
        grant_role([alice.id], create_role(f"role-{number}", "", [READ, WRITE], COMMAND_LINE), COMMAND_LINE)
    many = [len(statements(partial(crm.get, path))) for path in ("roles/", f"users/{alice.id}/roles/")]
    assert few == many == [3, 4]
