"""GET /api-doc/ and /api-doc/schema/: the documentation page and the OpenAPI document."""

import re
from html import unescape
from typing import Any

import httpx
import pytest
import yaml

from latchkey.core import exceptions as errors
from tests.support.browser_endpoints import ENDPOINTS as BROWSER_ENDPOINTS

OPERATIONS = {
    "/api/config/": {"get": "200"},
    "/api/register/": {"post": "201"},
    "/api/login/": {"post": "200"},
    "/api/login/second-factor/": {"post": "200"},
    "/api/login/enrolment/totp/": {"post": "200"},
    "/api/login/enrolment/totp/confirm/": {"post": "200"},
    "/api/login/second-factor/passkey/": {"post": "200"},
    "/api/login/enrolment/passkey/": {"post": "200"},
    "/api/login/enrolment/passkey/confirm/": {"post": "200"},
    "/api/login/passkey/options/": {"post": "200"},
    "/api/login/passkey/": {"post": "200"},
    "/api/login/recovery/": {"post": "202"},
    "/api/login/recovery/cancel/": {"post": "200"},
    "/api/login/recovery/confirm/": {"post": "200"},
    "/api/refresh/": {"post": "200"},
    "/api/logout/": {"post": "200"},
    **{path: {"post": "200"} for path in BROWSER_ENDPOINTS.values()},
    "/api/me/": {"get": "200", "put": "200", "patch": "200", "delete": "204"},
    "/api/me/passkeys/": {"get": "200", "post": "201"},
    "/api/me/passkeys/options/": {"post": "200"},
    "/api/me/passkeys/{passkey_id}/": {"patch": "200", "delete": "204"},
    "/api/step-up/passkey/": {"post": "200"},
    "/api/me/email/": {"get": "200"},
    "/api/me/export/": {"get": "200"},
    "/api/me/events/": {"get": "200"},
    "/api/me/factors/": {"get": "200"},
    "/api/me/totp/": {"post": "200", "delete": "204"},
    "/api/me/totp/confirm/": {"post": "200"},
    "/api/me/recovery-codes/": {"post": "200"},
    "/api/step-up/": {"post": "200"},
    "/api/verify/": {"get": "204"},
    "/api/introspect/": {"post": "200"},
    "/api/revoke/": {"post": "200"},
    "/oauth/token/": {"post": "200"},
    "/oauth/introspect/": {"post": "200"},
    "/oauth/revoke/": {"post": "200"},
    "/api/sessions/": {"get": "200", "delete": "200"},
    "/api/sessions/{session_id}/": {"delete": "204"},
    "/api/password/change/": {"post": "200"},
    "/api/password/reset/": {"post": "202"},
    "/api/password/reset/confirm/": {"post": "200"},
    "/api/email/verify/": {"post": "200"},
    "/api/email/verify/resend/": {"post": "202"},
    "/api/email/change/": {"post": "202"},
    "/api/email/change/confirm/": {"post": "200"},
    "/api/me/keys/": {"get": "200", "post": "201"},
    "/api/me/keys/{key_id}/": {"delete": "204"},
    "/api/users/": {"get": "200", "post": "201"},
    "/api/users/{user_id}/": {"get": "200", "patch": "200", "delete": "204"},
    "/api/users/{user_id}/roles/": {"get": "200"},
    "/api/users/{user_id}/roles/{role}/": {"put": "204", "delete": "204"},
    "/api/users/{user_id}/claims/": {"get": "200", "put": "200"},
    "/api/users/{user_id}/sessions/": {"get": "200", "delete": "204"},
    "/api/users/{user_id}/sessions/{session_id}/": {"delete": "204"},
    "/api/users/{user_id}/password-reset/": {"post": "202"},
    "/api/users/{user_id}/verification/": {"post": "202"},
    "/api/users/{user_id}/factors/": {"get": "200", "delete": "204"},
    "/api/users/{user_id}/events/": {"get": "200"},
    "/api/users/{user_id}/keys/": {"get": "200"},
    "/api/users/{user_id}/keys/{key_id}/": {"delete": "204"},
    "/api/users/{user_id}/unlock/": {"post": "204"},
    "/api/roles/": {"get": "200"},
}


def assets(page: str) -> list[str]:
    """Return the addresses that a page loads by itself."""
    return re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', page)


@pytest.fixture
def schema(http: httpx.Client) -> Any:
    return yaml.safe_load(http.get("/api-doc/schema/").text)


@pytest.mark.ledger("ASVS-14.2.3", "ASVS-3.6.1")
def test_api_docs_load_nothing_from_another_host(http: httpx.Client) -> None:
    page = http.get("/api-doc/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert 'id="swagger-ui"' in page.text
    loaded = assets(page.text)
    assert len(loaded) >= 4
    for address in loaded:
        assert re.match(r"/(?!/)", address), address
        assert http.get(address).status_code == 200, address
    assert "://" not in page.text


@pytest.mark.ledger("REG-SWAGGERUI-01")
@pytest.mark.parametrize("query", ["", "?url=https://evil.example/x.yaml&configUrl=https://evil.example/c.json"])
def test_api_docs_show_only_the_own_openapi_document_with_any_query(http: httpx.Client, query: str) -> None:
    (address,) = [asset for asset in assets(http.get(f"/api-doc/{query}").text) if "script=" in asset]
    script = http.get(unescape(address)).text.replace("\\u002D", "-")
    assert '"queryConfigEnabled": false' in script
    assert re.findall(r"url: \"([^\"]+)\"", script) == ["/api-doc/schema/"]
    assert "evil.example" not in script


def test_openapi_document_lists_exactly_the_known_operations(schema: Any) -> None:
    assert schema["openapi"].startswith("3.")
    assert {path: set(methods) for path, methods in schema["paths"].items()} == {
        path: set(methods) for path, methods in OPERATIONS.items()
    }


def test_openapi_document_is_the_same_in_json_and_yaml(http: httpx.Client, schema: Any) -> None:
    answer = http.get("/api-doc/schema/", headers={"Accept": "application/json"})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == schema


@pytest.mark.ledger("RFC9457-3.1.1")
def test_openapi_document_lists_every_error_code(schema: Any) -> None:
    listed = [name for name, value in schema["components"]["schemas"].items() if name.endswith("CodeEnum")]
    refusals = [each for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "code")]
    (enum,) = listed
    assert sorted(schema["components"]["schemas"][enum]["enum"]) == sorted({refusal.code for refusal in refusals})


def test_openapi_document_has_success_errors_and_examples_of_every_operation(schema: Any) -> None:
    for path, methods in OPERATIONS.items():
        for method, success in methods.items():
            responses = schema["paths"][path][method]["responses"]
            assert {success, "500", "503"} <= set(responses), (path, method)
            is_oauth = path.startswith("/oauth/")
            assert ("406" in responses) == (success != "204" and not is_oauth), (path, method)
            if success != "204":
                assert responses[success]["content"]["application/json"]["examples"], (path, method)
            uniform = {"202"} if path == "/api/register/" else set()  # while addresses have to be confirmed
            for status in set(responses) - {success} - uniform:
                kind = "application/json" if is_oauth else "application/problem+json"
                assert list(responses[status]["content"]) == [kind], (path, method, status)


def test_openapi_document_has_the_authentication_of_every_operation(schema: Any) -> None:
    assert schema["components"]["securitySchemes"]["accessToken"]["scheme"] == "bearer"
    assert schema["components"]["securitySchemes"]["serviceCredential"]["scheme"] == "basic"
    for path, methods in OPERATIONS.items():
        for method in methods:
            security = schema["paths"][path][method].get("security")
            asked = {"/api/verify/": "accessToken", "/api/introspect/": "serviceCredential"}
            asked |= {f"/oauth/{name}/": "applicationCredential" for name in ("token", "introspect")}
            asked |= {
                each: "accessToken"
                for each in OPERATIONS
                if each.startswith(("/api/me/", "/api/sessions/", "/api/users/", "/api/roles/"))
            }
            asked |= {
                f"/api/{name}/": "accessToken"
                for name in ("password/change", "browser/password/change", "email/change", "step-up", "step-up/passkey")
            }
            optional = {"/api/email/change/confirm/": "accessToken", "/oauth/revoke/": "applicationCredential"}
            either: list[dict[str, list[str]]] | None = [{optional[path]: []}, {}] if path in optional else None
            assert security == (either or ([{asked[path]: []}] if path in asked else [{}])), (path, method)
