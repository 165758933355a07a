"""Thousands of requests generated from the OpenAPI document, valid and invalid, each answered as documented."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings

from latchkey.rate_limits.in_memory import clear
from tests.fuzz.openapi_document import (
    BACK_END_PATHS,
    BEARER_PATHS,
    BROWSER_PATH,
    CASES,
    GENERATED_CASES,
    ORIGIN,
    SCHEMA,
    back_end_authorization,
    check_valid_registration_accepted,
    client_address,
    client_authorization,
)
from tests.people import Person

EXPECTED_STATUSES = {
    "GET /api/config/": {200, 405},
    "POST /api/register/": {201, 400, 405, 415},
    "POST /api/login/": {400, 401, 405, 415},
    "POST /api/login/second-factor/passkey/": {400, 405, 415},
    "POST /api/login/enrolment/totp/": {400, 405, 415},
    "POST /api/login/enrolment/totp/confirm/": {400, 405, 415},
    "POST /api/login/enrolment/passkey/": {400, 405, 415},
    "POST /api/login/enrolment/passkey/confirm/": {400, 405, 415},
    "POST /api/login/passkey/options/": {200, 405},
    "POST /api/login/passkey/": {400, 405, 415},
    "POST /api/login/recovery/": {400, 403, 405, 415},
    "POST /api/login/recovery/cancel/": {400, 405, 415},
    "POST /api/login/recovery/confirm/": {400, 405, 415},
    "GET /api/me/passkeys/": {200, 401},
    "POST /api/me/passkeys/": {400, 401, 415},
    "POST /api/me/passkeys/options/": {200, 401, 405},
    "PATCH /api/me/passkeys/{passkey_id}/": {400, 401, 404, 415},
    "DELETE /api/me/passkeys/{passkey_id}/": {401, 404},
    "GET /api/me/keys/": {200, 401},
    "POST /api/me/keys/": {201, 400, 401, 415},
    "DELETE /api/me/keys/{key_id}/": {401, 404},
    "POST /api/step-up/passkey/": {401, 404, 405},
    "POST /api/browser/login/": {400, 401, 405, 415},
    "POST /api/browser/second-factor/": {400, 405, 415},
    "POST /api/browser/passkey/": {400, 405, 415},
    "POST /api/browser/enrolment/totp/": {400, 405, 415},
    "POST /api/browser/enrolment/passkey/": {400, 405, 415},
    "POST /api/browser/refresh/": {401, 405, 415},
    "POST /api/browser/logout/": {200, 405, 415},
    "POST /api/browser/password/change/": {400, 401, 415},
    "POST /api/refresh/": {400, 401, 405, 415},
    "POST /api/logout/": {200, 400, 405, 415},
    "GET /api/me/": {200, 401, 405},
    "PUT /api/me/": {200, 400, 401, 415},
    "PATCH /api/me/": {200, 400, 401, 415},
    "GET /api/verify/": {204, 401, 405},
    "DELETE /api/me/": {400, 401, 415, 429},
    "GET /api/me/email/": {200, 401, 405},
    "GET /api/me/events/": {200, 400, 401, 405},
    "GET /api/me/export/": {200, 401, 405},
    "GET /api/me/factors/": {200, 401, 405},
    "POST /api/me/totp/": {200, 401},
    "DELETE /api/me/totp/": {401, 404},
    "POST /api/me/totp/confirm/": {400, 401, 415},
    "POST /api/me/recovery-codes/": {400, 401},
    "GET /api/sessions/": {200, 401, 405},
    "DELETE /api/sessions/": {200, 400, 401},
    "DELETE /api/sessions/{session_id}/": {401, 404},
    "POST /api/login/second-factor/": {400, 405, 415},
    "POST /api/step-up/": {400, 401, 415},
    "POST /api/introspect/": {200, 400, 401, 415},
    "POST /api/revoke/": {200, 400, 405, 415},
    "POST /oauth/token/": {401, 405},
    "POST /oauth/introspect/": {401, 405},
    "POST /oauth/revoke/": {200, 400, 405, 415},
    "POST /api/password/change/": {400, 401, 415},
    "POST /api/password/reset/": {202, 400, 405, 415},
    "POST /api/password/reset/confirm/": {400, 405, 415},
    "POST /api/email/verify/": {400, 405, 415},
    "POST /api/email/verify/resend/": {202, 400, 405, 415},
    "POST /api/email/change/": {400, 401, 415},
    "POST /api/email/change/confirm/": {400, 401, 415},
    "GET /api/users/": {200, 400, 401},
    "POST /api/users/": {201, 400, 401, 415},
    "GET /api/users/{user_id}/": {401, 404},
    "PATCH /api/users/{user_id}/": {400, 401, 404, 415},
    "DELETE /api/users/{user_id}/": {401, 404},
    "GET /api/roles/": {200, 401, 405},
    "GET /api/users/{user_id}/roles/": {401, 404},
    "PUT /api/users/{user_id}/roles/{role}/": {401, 404},
    "DELETE /api/users/{user_id}/roles/{role}/": {401, 404},
    "GET /api/users/{user_id}/claims/": {401, 404},
    "PUT /api/users/{user_id}/claims/": {401, 404},
    "GET /api/users/{user_id}/sessions/": {401, 404},
    "DELETE /api/users/{user_id}/sessions/": {401, 404},
    "DELETE /api/users/{user_id}/sessions/{session_id}/": {401, 404},
    "POST /api/users/{user_id}/password-reset/": {401, 404},
    "POST /api/users/{user_id}/verification/": {401, 404},
    "GET /api/users/{user_id}/factors/": {401, 404},
    "DELETE /api/users/{user_id}/factors/": {401, 404},
    "GET /api/users/{user_id}/events/": {401, 404},
    "GET /api/users/{user_id}/keys/": {401, 404},
    "DELETE /api/users/{user_id}/keys/{key_id}/": {401, 404},
    "POST /api/users/{user_id}/unlock/": {401, 404},
}
"""Statuses that each operation must have returned; without them a run has covered too little."""


@pytest.fixture
def answers(request: Any) -> Iterator[Counter[int]]:
    """Count the responses by status; at the end assert that there were enough, with every expected status."""
    counted: Counter[int] = Counter()
    yield counted
    operation = request.node.operation_label
    assert counted.total() >= CASES[operation]
    assert EXPECTED_STATUSES[operation] <= set(counted), counted


@pytest.fixture
def credentials(alice: Person, set_policy: Callable[..., None]) -> list[dict[str, str]]:
    """Valid and invalid Authorization headers of alice, and none, which leaves the header to schemathesis."""
    set_policy(access_token_lifetime=timedelta(hours=1))
    good = alice.login().bearer()["Authorization"]
    return [{"Authorization": value} for value in (good, good + "A", good[7:], "Bearer x.y.z")] + [{}]


@pytest.fixture
def back_end(http: httpx.Client) -> list[dict[str, str]]:
    """The Authorization header of an application, and none."""
    return [{"Authorization": back_end_authorization()}, {}]


@pytest.mark.ledger("DJ-DOC-1")
@SCHEMA.parametrize()
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # alice and the counts are for all the examples
def test_generated_requests_get_documented_responses(
    case: Any,
    http: httpx.Client,
    credentials: list[dict[str, str]],
    answers: Counter[int],
    back_end: list[dict[str, str]],
) -> None:
    of_service = [{"Authorization": client_authorization()}, {}]
    headers_by_path = {path: credentials for path in SCHEMA if path.startswith(BEARER_PATHS)}
    headers_by_path |= {path: back_end for path in SCHEMA if path.startswith(BACK_END_PATHS)}
    headers_by_path["/api/introspect/"] = of_service
    origin = ORIGIN if case.path.startswith(BROWSER_PATH) else {}
    clear()  # schemathesis tries wrong credentials, too
    for credential in headers_by_path.get(case.path, [{}]):
        headers = {**credential, **origin}
        answer = case.call(headers=headers, environ_base=client_address(case))
        case.validate_response(answer, headers=headers, additional_checks=[check_valid_registration_accepted])
        answers[answer.status_code] += 1


def test_generated_requests_cover_every_operation_with_five_thousand_cases() -> None:
    assert sum(CASES.values()) >= 5000
    operations: list[Any] = [result.ok() for result in SCHEMA.get_all_operations()]  # type: ignore[union-attr]  # Err has no ok()
    assert set(GENERATED_CASES) == set(EXPECTED_STATUSES) == {operation.label for operation in operations}
