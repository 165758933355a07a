"""Limits in the OpenAPI document: lengths, patterns, headers and links are those that the API enforces."""

import dataclasses
import re
from itertools import product
from typing import Any

import httpx
import pytest

from latchkey.conf.policy import Policy
from latchkey.core.exceptions import InsufficientScope
from tests.people import Person
from tests.problems import assert_problem
from tests.support.endpoints import ENDPOINTS, FIELDS, send, valid_body


@pytest.fixture
def schema(http: httpx.Client) -> Any:
    return http.get("/api-doc/schema/", headers={"Accept": "application/json"}).json()


def field_of(schema: Any, name: str, field: str) -> Any:
    """Return what the document says of a field of the body that this endpoint takes."""
    endpoint = ENDPOINTS[name]
    body = schema["paths"][endpoint.path][endpoint.method.lower()]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    return schema["components"]["schemas"][body["$ref"].rpartition("/")[2]]["properties"][field]


def of_length(field: str, length: int) -> str:
    """Return a good value with this many characters."""
    if field != "email":
        return "x" * length
    domain = "@" + ".".join(["b" * 61] * 3) + ".com"
    return "a" * (length - len(domain)) + domain


@pytest.mark.ledger("ASVS-2.1.1")
@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_openapi_document_has_the_enforced_max_length_of_a_field(
    alice: Person, schema: Any, name: str, field: str
) -> None:
    documented = field_of(schema, name, field)
    assert documented["type"] == "string"
    if field == "refresh_token":
        assert documented["format"] == "uuid"
        assert_problem(send(alice, name, {field: "x" * 36}), 400, "invalid", [field])
        assert send(alice, name, valid_body(alice, name)).status_code == 200
        return
    body, limit = valid_body(alice, name), documented["maxLength"]
    longer = send(alice, name, body | {field: of_length(field, limit + 1)})
    assert_problem(longer, 400, "password_too_long" if field == "password" else "invalid", [field])
    within = send(alice, name, body | {field: of_length(field, limit)})
    assert within.status_code == (401 if name == "login" else ENDPOINTS[name].success), within.text


@pytest.mark.ledger("ASVS-2.1.1")
@pytest.mark.parametrize("name", ENDPOINTS)
def test_openapi_document_lists_exactly_the_fields_that_are_read(schema: Any, name: str) -> None:
    endpoint = ENDPOINTS[name]
    body = schema["paths"][endpoint.path][endpoint.method.lower()]["requestBody"]["content"]
    component = schema["components"]["schemas"][body["application/json"]["schema"]["$ref"].rpartition("/")[2]]
    assert list(body) == ["application/json"]
    assert set(component["properties"]) == set(endpoint.fields)
    assert set(component.get("required", [])) == (set() if name == "patch me" else set(endpoint.fields))


@pytest.mark.ledger("ASVS-2.1.1")
@pytest.mark.parametrize(("name", "field"), [pair for pair in FIELDS if pair[1] not in ("refresh_token", "email")])
def test_openapi_document_has_the_enforced_pattern_and_min_length_of_a_field(
    alice: Person, schema: Any, name: str, field: str
) -> None:
    documented, body = field_of(schema, name, field), valid_body(alice, name)
    assert not re.search(documented["pattern"], "x\x00y")
    assert_problem(send(alice, name, body | {field: "x\x00y"}), 400, "invalid", [field])
    empty = send(alice, name, body | {field: ""})
    if documented.get("minLength"):
        assert_problem(empty, 400, "invalid", [field])
    else:
        assert empty.status_code == ENDPOINTS[name].success


@pytest.mark.ledger("ASVS-2.1.1")
def test_openapi_document_has_the_enforced_password_min_length(alice: Person, schema: Any) -> None:
    shortest, body = field_of(schema, "register", "password")["minLength"], valid_body(alice, "register")
    (setting,) = (setting for setting in dataclasses.fields(Policy) if setting.name == "password_min_length")
    assert shortest == setting.metadata["minimum"] == setting.default
    shorter = send(alice, "register", body | {"password": "xyzw#9$Q"[: shortest - 1]})
    assert_problem(shorter, 400, "password_too_short", ["password"])
    assert send(alice, "register", body | {"password": "xyzw#9$Q"[:shortest]}).status_code == 201


def test_openapi_document_lists_the_headers_of_every_response(schema: Any) -> None:
    headers = {"401": {"WWW-Authenticate"}, "415": {"Accept", "Accept-Encoding"}}
    headers |= {status: {"Retry-After"} for status in ("429", "503")}
    of_answers = {
        ("read_config", "200"): {"Cache-Control", "ETag"},
        ("verify", "204"): {
            *("X-User-Id", "X-Session-Id", "X-User-Email-Verified", "X-User-Roles", "X-Client-Id", "X-Scope")
        },
        ("create_user", "201"): {"Idempotent-Replayed"},
        ("export", "200"): {"Content-Disposition"},
    }
    for path in schema["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                expected = of_answers.get((operation["operationId"], status), headers.get(status, set()))
                if answer["description"] == InsufficientScope.title:  # and nothing else has this status
                    expected = {"WWW-Authenticate"}
                assert set(answer.get("headers", {})) == expected
                assert all(header["required"] for header in answer.get("headers", {}).values())


def test_openapi_links_connect_each_operation_to_its_follow_ups(schema: Any) -> None:
    operations = {each["operationId"]: each for path in schema["paths"].values() for each in path.values()}
    linked = {
        (name, link["operationId"])
        for name, operation in operations.items()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    }
    after_a_pair = {"refresh", "logout", "read_me", "replace_me", "update_me", "verify", "introspect", "revoke"}
    after_a_pair |= {
        "read_email_status",
        "list_sessions",
        "end_sessions",
        "list_events",
        "export",
        "list_factors",
        "begin_totp",
        "change_password",
        "change_email",
        "step_up",
        "step_up_passkey_options",
        "list_passkeys",
        "passkey_registration_options",
        "create_api_key",
        "list_api_keys",
    }
    mailed = {"verify_email": "resend_verification", "confirm_password_reset": "reset_password"}
    mailed |= {"confirm_email_change": "change_email"}
    assert linked == {
        *(("login", "leave"), ("list_sessions", "end_session"), ("read_config", "register"), ("read_config", "login")),
        *product(("register",), ("login", "reset_password", "verify_email", "resend_verification")),
        *product(("login", "login_second_factor", "refresh", "change_password"), after_a_pair),
        *(("begin_totp", "confirm_totp"), *product(("list_factors",), ("remove_totp", "renew_recovery_codes"))),
        *product(("login_passkey", "login_enrol_totp", "login_enrol_passkey"), after_a_pair),
        *product(("list_passkeys",), ("rename_passkey", "remove_passkey")),
        *(("passkey_registration_options", "add_passkey"), ("step_up_passkey_options", "step_up")),
        *(("login_passkey_options", "login_passkey"), ("login_begin_passkey", "login_enrol_passkey")),
        *(("login_second_factor_passkey_options", "login_second_factor"), ("login_begin_totp", "login_enrol_totp")),
        *product(("token",), ("oauth_introspect", "oauth_revoke")),
        *product(("create_api_key", "list_api_keys"), ("revoke_api_key",)),
        *product(("create_user",), ("read_user", "delete_user")),
        *(("list_user_keys", "revoke_user_key"), ("list_user_sessions", "end_user_session")),
        *product(("request_factor_recovery",), ("cancel_factor_recovery", "confirm_factor_recovery")),
        *product(("read_config",), ("request_factor_recovery", "cancel_factor_recovery", "confirm_factor_recovery")),
        *((asked, confirmed) for confirmed, asked in mailed.items()),
    }
    prefixes = ("/api/users/", "/api/roles/", "/api/browser/")  # a link cannot say that a cookie goes on
    others = [path for path in schema["paths"] if path.startswith(prefixes)]
    unlinked = {each["operationId"] for path in others for each in schema["paths"][path].values()}
    assert {name for pair in linked for name in pair} | unlinked == set(operations)


@pytest.mark.ledger("ASVS-6.4.2", "NIST-3.1.1.2-7")
def test_api_and_user_model_have_no_password_hint_or_security_question(schema: Any) -> None:
    from latchkey.accounts.models import User

    fields = {name for each in schema["components"]["schemas"].values() for name in each.get("properties", {})}
    fields |= {field.name for field in User._meta.get_fields()}
    assert {"password", "email"} <= fields
    fields.remove("token_type_hint")  # RFC 7009's word; of a token's type
    assert not [name for name in fields if any(word in name for word in ("hint", "question", "answer", "reminder"))]
