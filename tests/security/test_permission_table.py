"""The table of permissions: every operation of the OpenAPI document with every kind of proof, cell by cell.

What has to happen is derived from `x-latchkey-access`, which the document takes from the declaration of the view; what
does happen comes from a request through the whole stack. An operation that is new is in the table by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import pytest
import time_machine
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator

from latchkey.web.access import Caller
from tests.people import Person
from tests.security.proofs import MEANS, REFUSED_TOKENS, Kind, make_headers
from tests.support.admin_pages import Browser
from tests.support.browser_endpoints import ENDPOINTS as BROWSER_ENDPOINTS
from tests.support.browser_endpoints import OWN_ORIGIN

GATE_CODES = {
    *("not_authenticated", "invalid_token", "invalid_client", "permission_denied", "insufficient_scope"),
    *("step_up_required", "origin_not_allowed", "server_error"),
}
"""Codes by which a request is refused because of its proof, and that of a failure; any other answer has passed."""

PASSED = "passed"


@dataclass(frozen=True)
class Operation:
    """One operation of the OpenAPI document."""

    method: str
    path: str
    spec: Any

    @property
    def access(self) -> dict[str, Any]:
        found: dict[str, Any] = self.spec["x-latchkey-access"]
        return found

    def body(self) -> dict[str, Any]:
        """Return the keyword argument of httpx with the example of the request, which is valid."""
        content = self.spec.get("requestBody", {}).get("content", {})
        for media_type, described in content.items():
            examples = [example["value"] for example in described.get("examples", {}).values()]
            value = examples[0] if examples else {}
            return {"data": value} if media_type == "application/x-www-form-urlencoded" else {"json": value}
        return {}


@cache
def document() -> Any:
    """Return the OpenAPI document, generated out of the code."""
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # untyped there


def operations() -> Iterator[Operation]:
    """Yield every operation of the OpenAPI document."""
    for path, methods in document()["paths"].items():
        for method, spec in methods.items():
            yield Operation(method.upper(), path, spec)


def expected(access: dict[str, Any], kind: Kind) -> str:
    """Return what has to happen: the code of the refusal, or PASSED."""
    callers = set(access["callers"])
    if callers == {"anybody"}:
        return PASSED
    if "client" in callers:
        is_optional = "anybody" in callers  # a bearer token is no credential of a client, and is ignored there
        return PASSED if is_optional or kind is Kind.CLIENT_SECRET else "invalid_client"
    if kind in REFUSED_TOKENS:
        return "invalid_token"
    if kind not in MEANS:
        return PASSED if "anybody" in callers else "not_authenticated"
    return expected_of_caller(access, kind)


def expected_of_caller(access: dict[str, Any], kind: Kind) -> str:
    """Return what has to happen to a valid bearer token."""
    means = MEANS[kind]
    if means.caller not in access["callers"]:
        return "permission_denied"
    if access.get("scope") and not means.has_scopes:
        return "insufficient_scope"
    return "step_up_required" if access.get("step_up") and not means.is_recent else PASSED


def send(http: httpx.Client, operation: Operation, headers: dict[str, str], target: Person) -> str:
    """Send a request of this operation, undo what it did, and return the code of its refusal, or PASSED."""
    known = {**dict.fromkeys(parameters(operation), "1"), "user_id": target.id, "key_id": "000000"}
    path = operation.path.format_map(known)
    origin = {"Origin": OWN_ORIGIN} if operation.access.get("origin") else {}
    with transaction.atomic():
        answer = http.request(operation.method, path, headers={**origin, **headers}, **operation.body())
        transaction.set_rollback(True)
    content = answer.json() if answer.content and "json" in answer.headers.get("Content-Type", "") else {}
    code = content.get("code", content.get("error", "")) if isinstance(content, dict) else ""
    if code in REFUSED_WITH_403:
        assert answer.status_code == 403
    return code if code in GATE_CODES else PASSED


REFUSED_WITH_403 = {"permission_denied", "insufficient_scope", "step_up_required", "origin_not_allowed"}


def parameters(operation: Operation) -> list[str]:
    """Return the names of the parameters of the path."""
    return [each["name"] for each in operation.spec.get("parameters", []) if each["in"] == "path"]


@pytest.mark.slow
@pytest.mark.ledger("ASVS-8.1.1", "ASVS-8.2.1", "ASVS-8.3.1")
@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name.lower())
def test_every_operation_treats_the_proof_as_its_declaration_says(
    clock: time_machine.Traveller, http: httpx.Client, admin: Browser, kind: Kind
) -> None:
    headers = make_headers(kind, http, clock, admin)
    target = Person(http, "target@example.com").register()
    cells = {f"{each.method} {each.path}": (expected(each.access, kind), each) for each in operations()}
    found = {name: send(http, operation, headers, target) for name, (_, operation) in cells.items()}
    wrong = {name: f"{found[name]}, not {wanted}" for name, (wanted, _) in cells.items() if found[name] != wanted}
    assert wrong == {}, kind


def test_operations_that_need_an_origin_refuse_every_other_one(http: httpx.Client) -> None:
    target = Person(http, "target@example.com").register()
    found = [operation for operation in operations() if operation.access.get("origin")]
    assert {operation.path for operation in found} == set(BROWSER_ENDPOINTS.values())
    for operation in found:
        for origin in ("", "null", "https://evil.example"):
            assert send(http, operation, {"Origin": origin}, target) == "origin_not_allowed"
        codes = [example["value"]["code"] for example in forbidden(operation)]
        assert "origin_not_allowed" in codes


def forbidden(operation: Operation) -> list[dict[str, Any]]:
    """Return the examples of the refusals with status 403."""
    contents = operation.spec["responses"]["403"]["content"].values()
    return [example for content in contents for example in content["examples"].values()]


def test_every_operation_says_who_may_call_it() -> None:
    known = {caller.name.lower() for caller in Caller} | {"anybody", "client"}
    for operation in operations():
        access = operation.access
        assert access["callers"], operation.path
        assert set(access["callers"]) <= known
        needs_credential = {} not in operation.spec["security"]
        assert needs_credential == ("anybody" not in access["callers"]), operation.path
        schemes = {name for each in operation.spec["security"] for name in each}
        assert ("accessToken" in schemes) == bool(set(access["callers"]) - {"anybody", "client"}), operation.path


def test_operations_document_the_refusals_of_their_access() -> None:
    for operation in operations():
        answers = operation.spec["responses"]
        codes = {
            example["value"].get("code")
            for status, answer in answers.items()
            if status in ("401", "403")
            for content in answer["content"].values()
            for example in content["examples"].values()
        }
        wanted = {expected(operation.access, kind) for kind in Kind} - {PASSED, "invalid_client"}
        assert wanted <= codes, (operation.method, operation.path)


def test_every_kind_of_proof_is_accepted_and_refused_somewhere() -> None:
    """An expectation that never changes would prove nothing."""
    for kind in Kind:
        found = {expected(operation.access, kind) for operation in operations()}
        assert PASSED in found, kind
        assert len(found) > 1, kind
