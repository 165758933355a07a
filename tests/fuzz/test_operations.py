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
    BEARER_PATHS,
    CASES,
    GENERATED_CASES,
    SCHEMA,
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
    "POST /api/step-up/passkey/": {401, 404, 405},
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
    "POST /api/password/change/": {400, 401, 415},
    "POST /api/password/reset/": {202, 400, 405, 415},
    "POST /api/password/reset/confirm/": {400, 405, 415},
    "POST /api/email/verify/": {400, 405, 415},
    "POST /api/email/verify/resend/": {202, 400, 405, 415},
    "POST /api/email/change/": {400, 401, 415},
    "POST /api/email/change/confirm/": {400, 401, 415},
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


@pytest.mark.ledger("DJ-DOC-1")
@SCHEMA.parametrize()
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # alice and the counts are for all the examples
def test_generated_requests_get_documented_responses(
    case: Any, http: httpx.Client, credentials: list[dict[str, str]], answers: Counter[int]
) -> None:
    of_service = [{"Authorization": client_authorization()}, {}]
    headers_by_path = {path: credentials for path in SCHEMA if path.startswith(BEARER_PATHS)} | {
        "/api/introspect/": of_service
    }
    clear()  # schemathesis tries wrong credentials, too
    for headers in headers_by_path.get(case.path, [{}]):
        answer = case.call(headers=headers, environ_base=client_address(case))
        case.validate_response(answer, headers=headers, additional_checks=[check_valid_registration_accepted])
        answers[answer.status_code] += 1


def test_generated_requests_cover_every_operation_with_five_thousand_cases() -> None:
    assert sum(CASES.values()) >= 5000
    operations: list[Any] = [result.ok() for result in SCHEMA.get_all_operations()]  # type: ignore[union-attr]  # Err has no ok()
    assert set(GENERATED_CASES) == set(EXPECTED_STATUSES) == {operation.label for operation in operations}
