"""Who may read and who may change a user over the API for back ends: the same for every endpoint of one user."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.api_keys.models import ApiKey
from latchkey.applications.models import Application
from latchkey.audit.log import COMMAND_LINE
from latchkey.audit.models import AuditEvent
from latchkey.authorization.models import Role
from latchkey.authorization.roles import create_role, revoke_role
from latchkey.sessions.models import Session
from tests.api_keys.requests import create, grant_scopes
from tests.people import Person
from tests.problems import assert_problem
from tests.second_factors import enrol
from tests.users_api.callers import KINDS, READ, WRITE, Caller, application, application_token, person


@dataclass(frozen=True)
class Call:
    """A request to an endpoint of one user: method, path and body; the scope that it needs."""

    method: str
    path: str
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def scope(self) -> str:
        return READ if self.method == "GET" else WRITE


READS = tuple(Call("GET", path) for path in ("roles", "claims", "sessions", "factors", "events", "keys"))
CHANGES = (
    Call("PUT", "roles/editor"),
    Call("DELETE", "roles/editor"),
    Call("PUT", "claims", {"plan": "pro"}),
    Call("DELETE", "sessions"),
    Call("DELETE", "sessions/{session_id}"),
    Call("POST", "password-reset"),
    Call("POST", "verification"),
    Call("DELETE", "factors", {"reason": "Seen in person"}),
    Call("DELETE", "keys/{key_id}"),
    Call("POST", "unlock"),
)
EVERY = (*READS, *CHANGES)
Fill = Callable[..., Call]


@pytest.fixture
def target(alice: Person) -> Fill:
    """Return a function that directs a call at alice, her session and her key; there is a role 'editor'."""
    Role.objects.filter(name="editor").first() or create_role("editor", "", [], COMMAND_LINE)
    session_id, key_id = Session.objects.get(user=alice.id).pk, create(alice)["id"]

    def fill(call: Call, user_id: Any = alice.id) -> Call:
        return replace(call, path=f"users/{user_id}/{call.path.format(session_id=session_id, key_id=key_id)}/")

    return fill


def send(caller: Caller, call: Call) -> httpx.Response:
    return caller.send(call.method, call.path, call.body)


def state_of(user_id: int) -> dict[str, Any]:
    """Return all that a change could have changed."""
    row = User.objects.filter(pk=user_id).values().get()
    live = list(Session.objects.filter(user=user_id).values_list("pk", flat=True))
    return {"row": row, "sessions": live, "events": AuditEvent.objects.count()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", EVERY, ids=str)
def test_caller_of_every_kind_with_the_scope_may_use_the_endpoint(
    http: httpx.Client, target: Fill, kind: str, call: Call
) -> None:
    caller = KINDS[kind](http, call.scope)
    answer = send(caller, target(call))
    assert answer.status_code in (200, 202, 204), answer.text
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", EVERY, ids=str)
def test_caller_with_the_other_scope_alone_is_refused(
    http: httpx.Client, alice: Person, target: Fill, kind: str, call: Call
) -> None:
    caller = KINDS[kind](http, READ if call.scope == WRITE else WRITE)
    aimed, before = target(call), state_of(alice.id)
    answer = send(caller, aimed)
    assert_problem(answer, 403, "insufficient_scope")
    assert answer.json()["scope"] == call.scope
    assert state_of(alice.id) == before


@pytest.mark.parametrize("call", EVERY, ids=str)
def test_request_without_a_valid_proof_is_refused(http: httpx.Client, alice: Person, target: Fill, call: Call) -> None:
    scopes = (READ, WRITE)
    good = application(http, *scopes)
    aimed, before = target(call), state_of(alice.id)
    content = {} if call.body is None else {"json": call.body}
    assert_problem(http.request(call.method, f"/api/{aimed.path}", **content), 401, "not_authenticated")
    worthless = (
        application_token("crm", *scopes, age=120),
        application_token("crm", *scopes, audience="https://api.example.com"),
        application_token("unknown", *scopes),
        good.token[:-2],
    )
    for token in worthless:
        assert_problem(send(Caller(http, token), aimed), 401, "invalid_token")
    assert state_of(alice.id) == before


@pytest.mark.parametrize("call", EVERY, ids=str)
def test_person_without_a_role_is_refused(
    http: httpx.Client, alice: Person, bob: Person, target: Fill, call: Call
) -> None:
    aimed, before = target(call), state_of(alice.id)
    assert_problem(send(Caller(http, bob.access_token), aimed), 403, "insufficient_scope")
    assert state_of(alice.id) == before


@pytest.mark.parametrize("call", EVERY, ids=str)
def test_unknown_user_is_not_found(http: httpx.Client, target: Fill, call: Call) -> None:
    caller = application(http, READ, WRITE)
    for user_id in ("0", "999999", str(2**63 - 1), str(2**63), "9" * 400, "01", "-1", "x", "1.0", "%00"):
        assert_problem(send(caller, target(call, user_id)), 404, "not_found")


@pytest.mark.parametrize("call", CHANGES, ids=str)
@pytest.mark.parametrize("privilege", ["is_staff", "is_superuser"])
def test_staff_and_superusers_are_changed_in_the_admin_area_alone(
    http: httpx.Client, alice: Person, target: Fill, privilege: str, call: Call
) -> None:
    aimed = target(call)
    User.objects.filter(pk=alice.id).update(**{privilege: True})
    before = state_of(alice.id)
    assert_problem(send(application(http, READ, WRITE), aimed), 403, "permission_denied")
    assert state_of(alice.id) == before


@pytest.mark.parametrize("call", READS, ids=str)
def test_staff_can_be_read(http: httpx.Client, alice: Person, target: Fill, call: Call) -> None:
    aimed = target(call)
    User.objects.filter(pk=alice.id).update(is_staff=True)
    assert send(application(http, READ), aimed).status_code == 200


@pytest.mark.parametrize("kind", ["person", "API key of a person"])
@pytest.mark.parametrize("call", CHANGES, ids=str)
def test_nobody_changes_the_own_account_here(http: httpx.Client, target: Fill, kind: str, call: Call) -> None:
    caller = KINDS[kind](http, WRITE)
    assert caller.user_id is not None
    aimed, before = target(call, caller.user_id), state_of(caller.user_id)
    assert_problem(send(caller, aimed), 403, "permission_denied")
    assert state_of(caller.user_id) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", CHANGES, ids=str)
def test_user_with_a_scope_that_the_caller_lacks_is_not_changed(
    http: httpx.Client, alice: Person, target: Fill, kind: str, call: Call
) -> None:
    """Whoever can send a reset mail, or end what protects an account, could take over what the account may do."""
    aimed = target(call)
    caller = KINDS[kind](http, WRITE)
    grant_scopes(alice, "billing:refund", role="accountant")
    before = state_of(alice.id)
    answer = send(caller, aimed)
    assert_problem(answer, 403, "insufficient_scope")
    assert answer.json()["scope"] == "billing:refund"
    assert state_of(alice.id) == before


@pytest.mark.parametrize("call", CHANGES, ids=str)
def test_change_by_a_person_needs_a_recent_authentication(  # noqa: PLR0917  # fixtures
    clock: time_machine.Traveller,
    http: httpx.Client,
    alice: Person,
    target: Fill,
    call: Call,
    set_policy: Callable[..., None],
) -> None:
    set_policy(access_token_lifetime=timedelta(minutes=20))
    caller, aimed = person(http, READ, WRITE), target(call)
    clock.shift(601)
    before = state_of(alice.id)
    answer = send(caller, aimed)
    assert_problem(answer, 403, "step_up_required")
    assert (answer.json()["factors"], answer.json()["max_age"]) == (["password"], 600)
    assert state_of(alice.id) == before
    headers = {"Authorization": f"Bearer {caller.token}"}
    proved = http.post("/api/step-up/", json={"password": "correct horse battery staple"}, headers=headers)
    again = send(Caller(http, proved.json()["access_token"]), aimed)
    assert again.status_code in (200, 202, 204), again.text


def test_person_reads_without_a_recent_authentication(
    clock: time_machine.Traveller, http: httpx.Client, target: Fill, set_policy: Callable[..., None]
) -> None:
    set_policy(access_token_lifetime=timedelta(minutes=20))
    caller = person(http, READ, WRITE)
    clock.shift(601)
    for call in READS:
        assert send(caller, target(call)).status_code == 200


def test_person_with_a_second_factor_has_to_prove_it_for_a_change(http: httpx.Client, alice: Person) -> None:
    carol = Person(http, "carol@example.com").register()
    grant_scopes(carol, WRITE, role="support")
    enrolled = enrol(carol.login())
    Session.objects.filter(user=carol.id).update(proof=1)  # a session that proved the password alone
    answer = Caller(http, carol.access_token).send("POST", f"users/{alice.id}/unlock/")
    assert_problem(answer, 403, "step_up_required")
    assert answer.json()["factors"] == ["recovery_code", "totp"]
    body = {"code": enrolled.app.code()}
    proved = http.post("/api/step-up/", json=body, headers=carol.bearer())
    assert Caller(http, proved.json()["access_token"]).send("POST", f"users/{alice.id}/unlock/").status_code == 204


@pytest.mark.parametrize("call", EVERY, ids=str)
def test_unknown_query_parameter_is_refused(http: httpx.Client, alice: Person, target: Fill, call: Call) -> None:
    caller, aimed, before = application(http, READ, WRITE), target(call), state_of(alice.id)
    assert_problem(send(caller, replace(aimed, path=f"{aimed.path}?x=1")), 400, "invalid", ["query"])
    assert state_of(alice.id)["row"] == before["row"]


@pytest.mark.parametrize("lost", ["scope", "application", "role", "key"])
def test_lost_permission_is_in_force_at_the_next_request(http: httpx.Client, alice: Person, lost: str) -> None:
    kinds = {"scope": "application", "application": "API key of an application", "role": "person"}
    caller = KINDS[kinds.get(lost, "API key of a person")](http, READ)
    address = f"users/{alice.id}/events/"
    assert caller.send("GET", address).status_code == 200
    if lost == "scope":
        Application.objects.get().scopes.clear()
        assert_problem(caller.send("GET", address), 403, "insufficient_scope")
    elif lost == "application":
        Application.objects.update(is_active=False)
        assert_problem(caller.send("GET", address), 401, "invalid_token")
    elif lost == "role":
        revoke_role([caller.user_id or 0], Role.objects.get(name="support"), COMMAND_LINE)
        assert_problem(caller.send("GET", address), 403, "insufficient_scope")
    else:
        ApiKey.objects.all().delete()
        assert_problem(caller.send("GET", address), 401, "invalid_token")


@pytest.mark.parametrize("kind", KINDS)
def test_method_that_an_endpoint_does_not_have_is_not_allowed_to_any_caller(http: httpx.Client, kind: str) -> None:
    caller = KINDS[kind](http, READ, WRITE)
    answer = http.put("/api/users/", json={}, headers={"Authorization": f"Bearer {caller.token}"})
    assert_problem(answer, 405, "method_not_allowed")
