"""POST /oauth/token/: the client credentials grant (RFC 6749 section 4.4)."""

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest

from latchkey.applications.models import Application, ApplicationKind, ClientCredential
from latchkey.audit.models import AuditEvent
from latchkey.bearer_tokens.validation import validate
from latchkey.core import clock as clocks
from latchkey.core.exceptions import InvalidToken
from latchkey.rate_limits.in_memory import MAX_PER_WINDOW
from tests.fixtures.database import DatabaseDown
from tests.oauth.applications import GRANT, ISSUER, ORDERS, STOCK, TOKEN, Service, add_service, assert_oauth_error
from tests.people import Person
from tests.support.captured_log import CapturedLog
from tests.support.simultaneous import decode_claims


def test_token_endpoint_issues_a_token_of_rfc_9068_for_an_application(billing: Service) -> None:
    answer = billing.ask()
    body = answer.json()
    assert list(body) == ["access_token", "token_type", "expires_in", "scope"]
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 300, "orders:read orders:write")
    assert answer.headers["Cache-Control"] == "no-store"
    claims = decode_claims(body["access_token"])
    assert claims.pop("exp") - claims.pop("iat") == 300
    assert claims.pop("jti") != decode_claims(billing.token())["jti"]
    assert claims == {
        "sub": "billing",
        "client_id": "billing",
        "scope": "orders:read orders:write",
        "iss": ISSUER,
        "aud": ORDERS,
    }


def test_lifetime_of_application_tokens_is_a_runtime_setting(billing: Service, set_policy: Callable[..., None]) -> None:
    set_policy(application_token_lifetime=timedelta(seconds=90))
    assert billing.ask().json()["expires_in"] == 90


def test_secret_is_taken_from_the_header_form_encoded_or_from_the_body(billing: Service) -> None:
    encoded = b64encode(f"%62illing:{quote_plus(billing.secret)}".encode()).decode()
    in_body = {"client_id": "billing", "client_secret": billing.secret}
    for parameters, headers in (
        (GRANT, {"Authorization": f"basic {encoded}"}),
        (GRANT | in_body, {}),
        (GRANT | {"client_id": "billing"}, {"Authorization": f"Basic {encoded}"}),
    ):
        answer = billing.http.post(TOKEN, data=parameters, headers=headers)
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("slash", ["", "/"])
def test_token_endpoint_answers_with_and_without_its_last_slash(billing: Service, slash: str) -> None:
    answer = billing.http.post(f"/oauth/token{slash}", data=GRANT, auth=("billing", billing.secret))
    assert answer.status_code == 200


def test_wrong_client_credentials_are_invalid_client(billing: Service) -> None:
    secret = billing.secret
    wrong: list[tuple[dict[str, str], Any]] = [
        ({}, None),
        ({"client_id": "billing"}, None),
        ({}, ("billing", secret[:-1])),
        ({}, ("nobody", secret)),
        ({}, ("Billing", secret)),
        ({}, ("billing", "")),
        ({"client_id": "billing", "client_secret": secret + "x"}, None),
        ({"client_secret": secret}, None),
        ({"client_id": "bill\0ing", "client_secret": secret}, None),
        ({"client_id": "é", "client_secret": "é"}, None),
    ]
    for parameters, auth in wrong:
        assert_oauth_error(billing.http.post(TOKEN, data=GRANT | parameters, auth=auth), 401, "invalid_client")
    for header in ("Basic", "Basic ???", "Bearer x", "", f"Digest {secret}"):
        answer = billing.http.post(TOKEN, data=GRANT, headers={"Authorization": header})
        assert_oauth_error(answer, 401, "invalid_client")


def test_credentials_in_the_query_are_ignored(billing: Service) -> None:
    query = f"?client_id=billing&client_secret={billing.secret}&grant_type=client_credentials"
    assert_oauth_error(billing.http.post(TOKEN + query, data=GRANT), 401, "invalid_client")


def test_two_methods_of_client_authentication_are_an_invalid_request(billing: Service) -> None:
    auth = ("billing", billing.secret)
    for parameters in (
        {"client_id": "billing", "client_secret": billing.secret},
        {"client_assertion": "x"},
        {"client_id": "another"},
    ):
        assert_oauth_error(billing.http.post(TOKEN, data=GRANT | parameters, auth=auth), 400, "invalid_request")


@pytest.mark.parametrize("name", ["grant_type", "scope", "client_id", "unknown"])
def test_parameter_that_is_sent_twice_is_an_invalid_request(billing: Service, name: str) -> None:
    parameters: dict[str, Any] = GRANT | {name: ["client_credentials", "client_credentials"]}
    answer = billing.http.post(TOKEN, data=parameters, auth=("billing", billing.secret))
    assert_oauth_error(answer, 400, "invalid_request")


def test_unknown_and_empty_parameters_are_ignored(billing: Service) -> None:
    assert billing.ask(audience="https://elsewhere.example", scope="").json()["scope"] == "orders:read orders:write"


@pytest.mark.parametrize(
    "grant_type", ["authorization_code", "refresh_token", "implicit", "CLIENT_CREDENTIALS", "client_credentials ", "é"]
)
def test_any_other_grant_is_unsupported(billing: Service, grant_type: str) -> None:
    assert_oauth_error(billing.ask(grant_type=grant_type), 400, "unsupported_grant_type")


def test_cve_2026_9792_there_is_no_grant_for_passwords(billing: Service, alice: Person) -> None:
    password = {"grant_type": "password", "username": alice.email, "password": alice.password}
    assert_oauth_error(billing.ask(**password), 400, "unsupported_grant_type")
    assert_oauth_error(billing.http.post(TOKEN, data=password), 401, "invalid_client")


def test_request_without_a_grant_type_is_invalid(billing: Service) -> None:
    for parameters in ({}, {"grant_type": ""}):
        answer = billing.http.post(TOKEN, data=parameters | {"x": "y"}, auth=("billing", billing.secret))
        assert_oauth_error(answer, 400, "invalid_request")


def test_scope_narrows_the_token_and_never_widens_it(billing: Service) -> None:
    assert billing.ask(scope="orders:read").json()["scope"] == "orders:read"
    assert billing.ask(scope="orders:write orders:read orders:read").json()["scope"] == "orders:read orders:write"
    add_service(billing.http, "warehouse", ["stock:write"])
    for scope in ("stock:write", "orders:read stock:write", "users:read", "nonsense", "*", "a  b", " orders:read", "é"):
        assert_oauth_error(billing.ask(scope=scope), 400, "invalid_scope")


def test_application_without_scopes_gets_a_token_without_scope(http: httpx.Client) -> None:
    plain = add_service(http, "plain")
    assert list(plain.ask().json()) == ["access_token", "token_type", "expires_in"]
    claims = decode_claims(plain.token())
    assert "scope" not in claims
    assert claims["aud"] == "latchkey"


def test_resource_chooses_among_the_audiences_of_the_application(billing: Service) -> None:
    for resource, audience in (
        (STOCK, STOCK),
        ([STOCK, ORDERS, STOCK], [STOCK, ORDERS]),
        (ISSUER, "latchkey"),
        (f"{ISSUER}/", "latchkey"),
        ([ORDERS, ISSUER], [ORDERS, "latchkey"]),
    ):
        assert decode_claims(billing.token(resource=resource))["aud"] == audience
    for resource in ("latchkey", "https://orders.example.com/", "x", [ORDERS, "https://elsewhere.example"], "é"):
        assert_oauth_error(billing.ask(resource=resource), 400, "invalid_target")
    assert_oauth_error(billing.ask(resource=[f"{ORDERS}/{n}" for n in range(11)]), 400, "invalid_target")


def test_rfc_9700_application_whose_id_is_a_number_gets_no_token(http: httpx.Client, alice: Person) -> None:
    assert_oauth_error(add_service(http, str(alice.id)).ask(), 400, "unauthorized_client")


def test_application_of_another_kind_gets_no_token(billing: Service) -> None:
    assert ApplicationKind.values == ["service"]
    Application.objects.update(kind="spa")
    assert_oauth_error(billing.ask(), 400, "unauthorized_client")


def test_secret_without_an_application_gets_no_token(billing: Service) -> None:
    Application.objects.all().delete()
    assert ClientCredential.objects.count() == 1
    assert_oauth_error(billing.ask(), 400, "unauthorized_client")


def test_deactivated_application_gets_no_token(billing: Service) -> None:
    Application.objects.update(is_active=False)
    assert_oauth_error(billing.ask(), 401, "invalid_client")


def test_removed_scope_is_in_no_token_from_the_next_request_on(billing: Service) -> None:
    billing.row.scopes.remove(billing.row.scopes.get(name="orders:write"))
    assert billing.ask().json()["scope"] == "orders:read"
    assert_oauth_error(billing.ask(scope="orders:write"), 400, "invalid_scope")


def test_token_takes_one_statement_and_writes_nothing(
    billing: Service, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    billing.token()  # the policy is cached now
    (sql,) = statements(billing.ask)
    assert sql.lstrip().startswith("SELECT")
    assert AuditEvent.objects.filter(name="token.issued").count() == 0


def test_issued_token_is_logged_with_the_application_and_no_secret(billing: Service, captured_log: CapturedLog) -> None:
    token = billing.token()
    (line,) = captured_log.lines("token.issued")
    assert (line["client_id"], line["code"]) == ("billing", 200)
    assert token.rpartition(".")[2] not in captured_log.text
    assert billing.secret not in captured_log.text


def test_tokens_before_tokens_valid_from_are_refused_and_new_ones_accepted(http: httpx.Client, clock: Any) -> None:
    reader = add_service(http, "reader", ["users:read"])
    old = reader.token()
    assert validate(old).client_id == "reader"
    clock.shift(2)
    Application.objects.update(tokens_valid_from=clocks.now())
    with pytest.raises(InvalidToken):
        validate(old)
    clock.shift(2)
    assert validate(reader.token()).scopes == {"users:read"}


def test_wrong_secrets_are_limited_and_the_right_one_is_not(billing: Service) -> None:
    statuses = [
        billing.http.post(TOKEN, data=GRANT, auth=("billing", f"{n:043}")).status_code
        for n in range(MAX_PER_WINDOW + 1)
    ]
    assert statuses == [401] * MAX_PER_WINDOW + [429]
    answer = billing.http.post(TOKEN, data=GRANT, auth=("billing", "x"))
    assert_oauth_error(answer, 429, "temporarily_unavailable")
    assert billing.ask().status_code == 200


def test_malformed_requests_are_invalid_in_the_form_of_oauth(billing: Service) -> None:
    auth, form = ("billing", billing.secret), {"Content-Type": "application/x-www-form-urlencoded"}
    for content in (b"grant_type", b"%ff=1", b"a=%ff", "é=1".encode()):
        answer = billing.http.post(TOKEN, content=content, auth=auth, headers=form)
        assert_oauth_error(answer, 400, "invalid_request")
    assert_oauth_error(billing.http.post(TOKEN, json=GRANT, auth=auth), 415, "invalid_request")
    assert_oauth_error(billing.http.post(TOKEN, json=GRANT), 401, "invalid_client")
    encoded = form | {"Content-Encoding": "gzip"}
    answer = billing.http.post(TOKEN, content=b"grant_type=client_credentials", auth=auth, headers=encoded)
    assert_oauth_error(answer, 415, "invalid_request")
    assert answer.headers["Accept"] == "application/x-www-form-urlencoded"
    assert_oauth_error(billing.http.post(TOKEN, data={"a": "x" * 70_000}, auth=auth), 413, "invalid_request")
    answer = billing.http.post(TOKEN, data=GRANT, auth=auth, headers={"Host": "evil.example.com"})
    assert_oauth_error(answer, 400, "invalid_request")


@pytest.mark.parametrize("path", ["/oauth/token/", "/oauth/introspect/", "/oauth/revoke/"])
def test_other_methods_than_post_are_refused_without_credentials(http: httpx.Client, path: str) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = http.request(method, path)
        assert_oauth_error(answer, 405, "invalid_request")
        assert answer.headers["Allow"] == "POST, OPTIONS"
    assert (http.head(path).status_code, http.options(path).status_code) == (405, 204)


def test_json_is_answered_whatever_accept_says(billing: Service) -> None:
    for accept in ("text/html", "image/png", "*/*"):
        answer = billing.http.post(TOKEN, data=GRANT, auth=("billing", billing.secret), headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


def test_outage_of_the_database_is_temporarily_unavailable(billing: Service, database_down: DatabaseDown) -> None:
    with database_down():
        assert_oauth_error(billing.ask(), 503, "temporarily_unavailable")


def test_bug_of_the_service_is_a_server_error(billing: Service, settings: Any) -> None:
    settings.SECRET_KEY = 1  # no key can be derived from a number
    assert_oauth_error(billing.ask(), 500, "server_error")


def test_scripts_of_other_origins_may_not_read_a_token(billing: Service) -> None:
    answer = billing.http.post(
        TOKEN, data=GRANT, auth=("billing", billing.secret), headers={"Origin": "https://evil.example.com"}
    )
    assert "Access-Control-Allow-Origin" not in answer.headers
