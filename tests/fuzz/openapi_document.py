"""The OpenAPI document as a schemathesis schema: number of examples, credentials and checks for each operation."""

import unicodedata
import zlib
from base64 import b64encode
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig

from latchkey.accounts.models import normalize_email
from latchkey.oauth.models import ClientCredential, hash_secret
from latchkey.wsgi import application

CASES = {
    "POST /api/register/": 500,
    "POST /api/login/": 500,
    "POST /api/login/second-factor/": 200,
    "POST /api/login/second-factor/passkey/": 100,
    "POST /api/login/enrolment/totp/": 100,
    "POST /api/login/enrolment/totp/confirm/": 200,
    "POST /api/login/enrolment/passkey/": 100,
    "POST /api/login/enrolment/passkey/confirm/": 200,
    "POST /api/login/passkey/options/": 10,
    "POST /api/login/passkey/": 200,
    "POST /api/login/recovery/": 100,
    "POST /api/login/recovery/cancel/": 100,
    "POST /api/login/recovery/confirm/": 200,
    "POST /api/refresh/": 600,
    "POST /api/logout/": 600,
    "GET /api/me/": 400,
    "PUT /api/me/": 1000,
    "PATCH /api/me/": 1000,
    "GET /api/config/": 10,  # it takes no input
    "POST /api/step-up/": 200,
    "GET /api/verify/": 400,
    "POST /api/introspect/": 600,
    "POST /api/revoke/": 600,
    "DELETE /api/me/": 400,
    "GET /api/me/passkeys/": 100,
    "POST /api/me/passkeys/": 200,
    "POST /api/me/passkeys/options/": 20,
    "PATCH /api/me/passkeys/{passkey_id}/": 200,
    "DELETE /api/me/passkeys/{passkey_id}/": 150,
    "POST /api/step-up/passkey/": 20,
    "GET /api/me/email/": 100,
    "GET /api/me/events/": 300,
    "GET /api/me/export/": 100,
    "GET /api/me/factors/": 100,
    "POST /api/me/totp/": 100,
    "DELETE /api/me/totp/": 100,
    "POST /api/me/totp/confirm/": 200,
    "POST /api/me/recovery-codes/": 100,
    "GET /api/sessions/": 100,
    "DELETE /api/sessions/": 300,
    "DELETE /api/sessions/{session_id}/": 300,
    "POST /api/password/change/": 200,
    "POST /api/password/reset/": 200,
    "POST /api/password/reset/confirm/": 200,
    "POST /api/email/verify/": 200,
    "POST /api/email/verify/resend/": 200,
    "POST /api/email/change/": 200,
    "POST /api/email/change/confirm/": 200,
    "journeys": 400,
}
"""Minimum number of requests for each operation, and within sequences of operations; 5,000 in total."""
BEARER_PATHS = (
    "/api/me/",
    "/api/verify/",
    "/api/sessions/",
    "/api/password/change/",
    "/api/email/change/",
    "/api/step-up/",
)
"""Prefixes of the paths that require an access token."""

GENERATED_CASES = {operation: cases for operation, cases in CASES.items() if operation != "journeys"}
DOCUMENTED_REASONS = {"email_taken", "password_too_obvious"}

INPUT_CHECKS = {"negative_data_rejection": {"expected-statuses": ["400", "405", "415"]}}
"""Invalid data must be rejected by validation; by default schemathesis also accepts a 401."""
AUTH_CHECKS = {"negative_data_rejection": {"expected-statuses": ["400", "401", "405", "415"]}}
EMAIL_CHECKS = {"positive_data_acceptance": {"expected-statuses": ["200", "202", "400", "401", "429"]}}
"""A schema cannot express which addresses exist, which passwords are right and which tokens are valid."""
PASSKEY_PATHS = ("second-factor/passkey", "enrolment/passkey", "enrolment/passkey/confirm", "passkey")
TOTP_PATHS = ("enrolment/totp", "enrolment/totp/confirm")
RECOVERY_PATHS = ("recovery/cancel", "recovery/confirm")
CHECKS: dict[str, Any] = {
    # An address that is taken is 400 by the wire contract; see accepts_what_the_document_allows.
    "POST /api/register/": {"positive_data_acceptance": {"expected-statuses": ["201", "400", "429"]}, **INPUT_CHECKS},
    # A password that is made up is a wrong one.
    "DELETE /api/me/": {"positive_data_acceptance": {"expected-statuses": ["204", "400", "401", "429"]}},
    "POST /api/refresh/": INPUT_CHECKS,
    "POST /api/logout/": INPUT_CHECKS,
    "POST /api/introspect/": {"negative_data_rejection": {"expected-statuses": ["400", "401", "405", "415"]}},
    "POST /api/revoke/": INPUT_CHECKS,
    "POST /api/login/second-factor/": {**EMAIL_CHECKS, **INPUT_CHECKS},
    "POST /api/login/recovery/": {
        "positive_data_acceptance": {"expected-statuses": ["202", "400", "403", "429"]},  # off by default
        **INPUT_CHECKS,
    },
    "POST /api/me/totp/confirm/": {**EMAIL_CHECKS, **AUTH_CHECKS},
    # An account without a second factor has no use for recovery codes.
    "POST /api/me/recovery-codes/": EMAIL_CHECKS,
    **{
        f"POST /api/login/{name}/": {**EMAIL_CHECKS, **INPUT_CHECKS}
        for name in (*PASSKEY_PATHS, *TOTP_PATHS, *RECOVERY_PATHS)
    },
    "PATCH /api/me/passkeys/{passkey_id}/": {
        "positive_data_acceptance": {"expected-statuses": ["200", "400", "401", "404"]}  # a name of spaces
    },
    "POST /api/me/passkeys/": {**EMAIL_CHECKS, **AUTH_CHECKS},
    "POST /api/step-up/": {**EMAIL_CHECKS, **AUTH_CHECKS},
    **{f"POST /api/{name}/": {**EMAIL_CHECKS, **INPUT_CHECKS} for name in ("password/reset", "password/reset/confirm")},
    **{f"POST /api/{name}/": {**EMAIL_CHECKS, **INPUT_CHECKS} for name in ("email/verify", "email/verify/resend")},
    **{f"POST /api/{name}/": {**EMAIL_CHECKS, **AUTH_CHECKS} for name in ("password/change", "email/change")},
    "POST /api/email/change/confirm/": {**EMAIL_CHECKS, **AUTH_CHECKS},
}


def operation_config(operation: str) -> dict[str, Any]:
    path = operation.partition(" ")[2]
    credentials = 5 if path.startswith(BEARER_PATHS) else 2 if "/introspect/" in operation else 1
    examples = CASES[operation] // credentials  # each is sent with all of them
    checks = CHECKS.get(operation, {})
    return {"include-name": operation, "generation": {"max-examples": examples}, "checks": checks}


SCHEMA = schemathesis.openapi.from_wsgi(
    "/api-doc/schema/",
    application,
    config=SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "generation": {"deterministic": True, "database": "none"},
            "analysis": {"constants": {"enabled": False}},  # else the source of Django would be read for words
            # What follows what is for the document to say; bad requests would end most journeys early.
            "phases": {"stateful": {"inference": {"algorithms": []}, "generation": {"mode": "positive"}}},
            "operations": [operation_config(operation) for operation in GENERATED_CASES],
        }
    ),
)


def check_valid_registration_accepted(ctx: Any, response: Any, case: Any) -> None:
    """Expect that register rejects valid data only for reasons that no schema can express."""
    if case.operation.label != "POST /api/register/" or case.meta.generation.mode.value != "positive":
        return
    if response.status_code == 400:
        problem = response.json()
        length = len(unicodedata.normalize("NFC", case.body["password"]))
        reasons = DOCUMENTED_REASONS | ({"password_too_short"} if length < 8 else set())
        reasons |= {"password_too_long"} if length > 256 else set()
        if not is_email_address(case.body["email"]):  # "idn-email" is looser than the DNS
            reasons.add("invalid")
        assert problem["code"] in reasons, problem
        assert problem["code"] != "invalid" or list(problem["errors"]) == ["email"], problem


def is_email_address(text: str) -> bool:
    try:
        normalize_email(text)
    except ValueError:
        return False
    return True


def client_authorization() -> str:
    """Return the Authorization header of an OAuth client, created again if the last test revoked it."""
    ClientCredential.objects.get_or_create(client_id="payments", digest=hash_secret("a secret"))
    return "Basic " + b64encode(b"payments:a+secret").decode()


def client_address(case: Any) -> dict[str, str]:
    """Return a client address that depends on the body, so that no single address reaches its rate limit."""
    number = zlib.crc32(repr(case.body).encode("utf-8", "surrogatepass"))
    return {"REMOTE_ADDR": ".".join(map(str, number.to_bytes(4)))}
