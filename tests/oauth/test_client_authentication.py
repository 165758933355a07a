"""Client authentication of POST /api/introspect/ by HTTP Basic (RFC 6749 section 2.3.1)."""

from base64 import b64encode
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest
from django.test import override_settings

from latchkey.applications.models import ClientCredential
from latchkey.rate_limits.in_memory import MAX_PER_WINDOW
from tests.oauth.conftest import ResourceServer, run_services_command
from tests.people import Person
from tests.problems import assert_problem


def basic(text: str | bytes) -> str:
    return "Basic " + b64encode(text.encode() if isinstance(text, str) else text).decode()


def introspect_with(alice: Person, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    return alice.http.post("/api/introspect/", data={"token": alice.access_token}, headers=headers)


def valid_authorizations(payments: ResourceServer) -> dict[str, str]:
    good = basic(f"payments:{payments.secret}")
    everything = "".join(f"%{byte:02x}" for byte in payments.secret.encode())
    return {
        "as it is": good,
        "scheme in lower case": good.replace("Basic", "basic"),
        "scheme in upper case": good.replace("Basic", "BASIC"),
        "two spaces": good.replace(" ", "  "),
        "form-encoded": basic(f"{quote_plus('payments')}:{quote_plus(payments.secret)}"),
        "wholly form-encoded": basic(f"%70ayments:{everything}"),
    }


def invalid_authorizations(payments: ResourceServer) -> dict[str, str | None]:
    good, secret = basic(f"payments:{payments.secret}"), payments.secret
    return {
        "nothing": None,
        "empty": "",
        "no credential": "Basic",
        "not base64": "Basic ???",
        "base64 with junk in it": good[:20] + "!" + good[20:],
        "no padding": good.rstrip("=") if good.endswith("=") else good + "=",
        "no colon": basic("payments"),
        "no secret": basic("payments:"),
        "no name": basic(f":{secret}"),
        "another name": basic(f"invoices:{secret}"),
        "another case": basic(f"Payments:{secret}"),
        "name and secret exchanged": basic(f"{secret}:payments"),
        "less": basic(f"payments:{secret[:-1]}"),
        "more": basic(f"payments:{secret}x"),
        "a space more": basic(f"payments:{secret} "),
        "a NUL": basic(f"pay%00ments:{secret}"),
        "an encoding that is none": basic(f"payments:{secret}%ff"),
        "not ASCII": basic("payments:é"),
        "not UTF-8": basic(b"payments:\xff"),
        "the digest": basic(f"payments:{sha256(secret.encode()).hexdigest()}"),
        "encoded twice": basic(f"payments:{quote_plus(quote_plus(secret[:1] + '+' + secret[1:]))}"),
        "another scheme": good.replace("Basic", "Bearer"),
        "two of them": f"{good},{good}",
        "very long": basic("payments:" + "x" * 6000),
        "SQL": basic("payments' OR '1'='1:x"),
    }


def test_introspect_accepts_a_client_credential_in_any_valid_basic_encoding(
    payments: ResourceServer, alice: Person
) -> None:
    for name, header in valid_authorizations(payments).items():
        answer = introspect_with(alice, header)
        assert (answer.status_code, answer.json()["active"]) == (200, True), name


@pytest.mark.ledger("RFC7662-2.1", "ASVS-12.3.5")
def test_introspect_refuses_any_other_authentication_with_invalid_client(
    payments: ResourceServer, alice: Person
) -> None:
    for header in invalid_authorizations(payments).values():
        assert_problem(introspect_with(alice, header), 401, "invalid_client")
    assert_problem(introspect_with(alice, alice.bearer()["Authorization"]), 401, "invalid_client")
    assert_problem(introspect_with(alice, basic(f"{alice.email}:{alice.password}")), 401, "invalid_client")
    in_body = {"token": alice.access_token, "client_id": "payments", "client_secret": payments.secret}
    assert_problem(alice.http.post("/api/introspect/", data=in_body), 401, "invalid_client")
    assert payments.introspect_json(alice.access_token)["active"] is True


def test_me_and_verify_refuse_a_client_credential(payments: ResourceServer) -> None:
    header = {"Authorization": basic(f"payments:{payments.secret}")}
    for path in ("/api/me/", "/api/verify/"):
        assert_problem(payments.http.get(path, headers=header), 401, "not_authenticated")


@pytest.mark.ledger("RFC7662-2.1")
def test_introspect_refuses_other_methods_than_post(payments: ResourceServer, alice: Person) -> None:
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        url = f"/api/introspect/?token={alice.access_token}"
        answer = alice.http.request(method, url, auth=("payments", payments.secret))
        assert_problem(answer, 405, "method_not_allowed") if method != "HEAD" else None
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")


def test_introspect_takes_one_statement_for_an_unknown_client_and_for_a_wrong_secret(
    payments: ResourceServer, alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    sent = [
        statements(partial(introspect_with, alice, basic(f"{client_id}:{'x' * 43}")))
        for client_id in ("payments", "nobody-at-all")
    ]
    assert len(sent[0]) == len(sent[1]) == 1


@pytest.mark.ledger("RFC7662-4")
def test_introspect_rate_limits_wrong_client_secrets_but_not_the_right_one(
    payments: ResourceServer, alice: Person
) -> None:
    statuses = [
        introspect_with(alice, basic(f"payments:{guess:043}")).status_code for guess in range(MAX_PER_WINDOW + 1)
    ]
    assert statuses == [401] * MAX_PER_WINDOW + [429]
    assert payments.introspect_json(alice.access_token)["active"] is True


def test_client_secret_is_stored_as_a_digest_only(payments: ResourceServer) -> None:
    (row,) = ClientCredential.objects.values()
    assert bytes(row["digest"]) == sha256(payments.secret.encode()).digest()
    assert payments.secret not in str(row)
    assert len(payments.secret) == 43


def test_client_credential_stays_valid_after_a_change_of_the_secret_key(
    payments: ResourceServer, alice: Person
) -> None:
    with override_settings(SECRET_KEY="n" * 60):
        assert payments.introspect(alice.access_token).text == '{"active": false}'


def test_client_secret_can_be_replaced_without_downtime(payments: ResourceServer, alice: Person) -> None:
    newer = ResourceServer(payments.http, "payments", run_services_command("add", "payments").splitlines()[-1])
    for either in (payments, newer):
        assert either.introspect_json(alice.access_token)["active"] is True
    run_services_command("remove", "payments", "--older")
    assert newer.introspect_json(alice.access_token)["active"] is True
    assert_problem(payments.introspect(alice.access_token), 401, "invalid_client")
    run_services_command("remove", "payments")
    assert_problem(newer.introspect(alice.access_token), 401, "invalid_client")


def test_services_remove_deletes_only_the_named_client(payments: ResourceServer, alice: Person) -> None:
    invoices = ResourceServer(payments.http, "invoices", run_services_command("add", "invoices").splitlines()[-1])
    run_services_command("remove", "invoices")
    assert_problem(invoices.introspect(alice.access_token), 401, "invalid_client")
    assert payments.introspect_json(alice.access_token)["active"] is True
