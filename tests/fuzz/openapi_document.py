"""The OpenAPI document as a schemathesis schema: number of examples, credentials and checks for each operation."""

import unicodedata
import zlib
from base64 import b64encode
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig

from latchkey.accounts.models import normalize_email
from latchkey.api_keys.manage import KeySpec, create_application_key
from latchkey.applications.models import Application, ClientCredential, hash_secret
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.models import READ_USERS, WRITE_USERS, Scope
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
    "POST /api/browser/login/": 200,
    "POST /api/browser/second-factor/": 100,
    "POST /api/browser/passkey/": 100,
    "POST /api/browser/enrolment/totp/": 100,
    "POST /api/browser/enrolment/passkey/": 100,
    "POST /api/browser/refresh/": 100,
    "POST /api/browser/logout/": 100,
    "POST /api/browser/password/change/": 100,
    "POST /api/step-up/": 200,
    "GET /api/verify/": 400,
    "POST /api/introspect/": 600,
    "POST /api/revoke/": 600,
    "POST /oauth/token/": 200,
    "POST /oauth/introspect/": 200,
    "POST /oauth/revoke/": 200,
    "DELETE /api/me/": 400,
    "GET /api/me/passkeys/": 100,
    "POST /api/me/passkeys/": 200,
    "POST /api/me/passkeys/options/": 20,
    "PATCH /api/me/passkeys/{passkey_id}/": 200,
    "DELETE /api/me/passkeys/{passkey_id}/": 150,
    "GET /api/me/keys/": 100,
    "POST /api/me/keys/": 300,
    "DELETE /api/me/keys/{key_id}/": 150,
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
    "GET /api/users/": 200,
    "POST /api/users/": 300,
    "GET /api/users/{user_id}/": 100,
    "PATCH /api/users/{user_id}/": 300,
    "DELETE /api/users/{user_id}/": 100,
    "GET /api/roles/": 50,
    "GET /api/users/{user_id}/roles/": 100,
    "PUT /api/users/{user_id}/roles/{role}/": 200,
    "DELETE /api/users/{user_id}/roles/{role}/": 200,
    "GET /api/users/{user_id}/claims/": 100,
    "PUT /api/users/{user_id}/claims/": 200,
    "GET /api/users/{user_id}/sessions/": 100,
    "DELETE /api/users/{user_id}/sessions/": 100,
    "DELETE /api/users/{user_id}/sessions/{session_id}/": 200,
    "POST /api/users/{user_id}/password-reset/": 100,
    "POST /api/users/{user_id}/verification/": 100,
    "GET /api/users/{user_id}/factors/": 100,
    "DELETE /api/users/{user_id}/factors/": 200,
    "GET /api/users/{user_id}/events/": 200,
    "GET /api/users/{user_id}/keys/": 100,
    "DELETE /api/users/{user_id}/keys/{key_id}/": 200,
    "POST /api/users/{user_id}/unlock/": 100,
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
    "/api/browser/password/",
)
"""Prefixes of the paths that require an access token."""

BROWSER_PATH = "/api/browser/"
"""Prefix of the paths that require an Origin, as browsers send it."""
ORIGIN = {"Origin": "http://localhost"}

BACK_END_PATHS = ("/api/roles/", "/api/users/")
"""Prefixes of the paths for back ends, which need an application with scopes."""

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
BROWSER_OPERATIONS = (
    *("login", "second-factor", "passkey", "enrolment/totp", "enrolment/passkey"),
    *("refresh", "logout", "password/change"),
)
CHECKS: dict[str, Any] = {
    # An address that is taken is 400 by the wire contract; see accepts_what_the_document_allows.
    "POST /api/register/": {"positive_data_acceptance": {"expected-statuses": ["201", "400", "429"]}, **INPUT_CHECKS},
    # A password that is made up is a wrong one.
    "DELETE /api/me/": {"positive_data_acceptance": {"expected-statuses": ["204", "400", "401", "429"]}},
    "POST /api/refresh/": INPUT_CHECKS,
    "POST /api/logout/": INPUT_CHECKS,
    "POST /api/introspect/": {"negative_data_rejection": {"expected-statuses": ["400", "401", "405", "415"]}},
    "POST /api/revoke/": INPUT_CHECKS,
    # No schema can express which applications there are, nor what they have.
    **{
        f"POST /oauth/{name}/": {
            **EMAIL_CHECKS,
            **AUTH_CHECKS,
            "missing_required_header": {"enabled": False},  # the body may have the credential
        }
        for name in ("token", "introspect")
    },
    "POST /oauth/revoke/": {  # a client_id without a secret says nothing, and is ignored
        **EMAIL_CHECKS,
        "negative_data_rejection": {"expected-statuses": ["200", "400", "401", "405", "415"]},
    },
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
    # A schema cannot express which scopes somebody has, and how long a key may live.
    "POST /api/me/keys/": {
        "positive_data_acceptance": {"expected-statuses": ["201", "400", "401", "429"]},
        **AUTH_CHECKS,
    },
    "POST /api/step-up/": {**EMAIL_CHECKS, **AUTH_CHECKS},
    **{f"POST /api/{name}/": {**EMAIL_CHECKS, **INPUT_CHECKS} for name in ("password/reset", "password/reset/confirm")},
    **{f"POST /api/{name}/": {**EMAIL_CHECKS, **INPUT_CHECKS} for name in ("email/verify", "email/verify/resend")},
    **{f"POST /api/{name}/": {**EMAIL_CHECKS, **AUTH_CHECKS} for name in ("password/change", "email/change")},
    **{f"POST /api/browser/{name}/": {**EMAIL_CHECKS, **AUTH_CHECKS} for name in BROWSER_OPERATIONS},
    "POST /api/email/change/confirm/": {**EMAIL_CHECKS, **AUTH_CHECKS},
    # Roles that nobody has created, cursors of no list, addresses that the DNS knows not, and hashes of no form.
    "GET /api/users/": {"positive_data_acceptance": {"expected-statuses": ["200", "400", "401"]}},
    "POST /api/users/": {
        "positive_data_acceptance": {"expected-statuses": ["201", "400", "401", "422"]},
        **AUTH_CHECKS,
    },
    "PATCH /api/users/{user_id}/": {
        "positive_data_acceptance": {"expected-statuses": ["200", "400", "401", "404"]},
        "negative_data_rejection": {"expected-statuses": ["400", "401", "404", "405", "415"]},
    },
    # Claims that are too long, and a reason that must not be logged.
    **{
        f"{name}/": {"positive_data_acceptance": {"expected-statuses": ["200", "204", "400", "401", "404"]}}
        for name in ("PUT /api/users/{user_id}/claims", "DELETE /api/users/{user_id}/factors")
    },
}


def operation_config(operation: str) -> dict[str, Any]:
    path = operation.partition(" ")[2]
    credentials = (
        5 if path.startswith(BEARER_PATHS) else 2 if path.startswith(("/api/introspect/", *BACK_END_PATHS)) else 1
    )
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


def back_end_authorization() -> str:
    """Return the Authorization header of an application that may read and change users, with a new API key."""
    application, _ = Application.objects.get_or_create(client_id="crm", defaults={"name": "crm"})
    application.scopes.add(*Scope.objects.filter(name__in=[READ_USERS, WRITE_USERS]))
    spec = KeySpec("fuzz", [READ_USERS, WRITE_USERS], 1)
    return f"Bearer {create_application_key(application.client_id, spec, COMMAND_LINE).key}"


def client_address(case: Any) -> dict[str, str]:
    """Return a client address that depends on the body, so that no single address reaches its rate limit."""
    number = zlib.crc32(repr(case.body).encode("utf-8", "surrogatepass"))
    return {"REMOTE_ADDR": ".".join(map(str, number.to_bytes(4)))}
