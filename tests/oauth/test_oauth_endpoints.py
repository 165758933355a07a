"""POST /oauth/introspect/ and /oauth/revoke/: as below /api/, with every method of client authentication."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from latchkey.api_keys import api_key
from latchkey.api_keys.models import ApiKey
from latchkey.audit.models import AuditEvent
from tests.oauth.applications import KeyPair, Service, add_service, assert_oauth_error
from tests.people import Person
from tests.problems import assert_problem

INTROSPECT, REVOKE = "/oauth/introspect/", "/oauth/revoke/"


@pytest.fixture
def shipping(http: httpx.Client) -> Service:
    pair = KeyPair()
    service = add_service(http, "shipping", public_keys=[pair.public])
    service.pair = pair  # type: ignore[attr-defined]  # for these tests
    return service


def credentials(service: Any) -> list[dict[str, Any]]:
    """Return the arguments of a request by each method of client authentication."""
    in_body = {"client_id": service.client_id, "client_secret": service.secret}
    return [
        {"auth": (service.client_id, service.secret), "data": {}},
        {"data": in_body},
        {"data": service.pair.assertion(service.client_id)},
    ]


def test_oauth_introspect_takes_every_method_and_answers_as_the_api_does(shipping: Service, alice: Person) -> None:
    api = shipping.http.post("/api/introspect/", data={"token": alice.access_token}, auth=("shipping", shipping.secret))
    assert api.json()["active"] is True
    for arguments in credentials(shipping):
        data = arguments.pop("data") | {"token": alice.access_token, "token_type_hint": "access_token"}
        answer = shipping.http.post(INTROSPECT, data=data, **arguments)
        assert (answer.status_code, answer.text) == (200, api.text)
        assert answer.headers["Cache-Control"] == "no-store"


def test_oauth_introspect_answers_errors_in_the_form_of_oauth(shipping: Service, alice: Person) -> None:
    auth = ("shipping", shipping.secret)
    assert_oauth_error(shipping.http.post(INTROSPECT, data={"token": "x"}), 401, "invalid_client")
    assert_oauth_error(shipping.http.post(INTROSPECT, data={"x": "y"}, auth=auth), 400, "invalid_request")
    assert_oauth_error(shipping.http.post(INTROSPECT, data={"token": ["x", "y"]}, auth=auth), 400, "invalid_request")
    assert_oauth_error(shipping.http.post(INTROSPECT, json={}, auth=auth), 415, "invalid_request")
    answer = shipping.http.post(INTROSPECT, data={"token": "x"}, headers=alice.bearer())
    assert_oauth_error(answer, 401, "invalid_client")


@pytest.mark.parametrize("token", ["access_token", "refresh_token"])
def test_oauth_revoke_ends_the_session_of_a_token_for_its_holder(shipping: Service, alice: Person, token: str) -> None:
    presented = getattr(alice, token)
    for arguments in [{"data": {}}, *credentials(shipping)]:
        data = arguments.pop("data") | {"token": presented}
        answer = shipping.http.post(REVOKE, data=data, **arguments)
        assert (answer.status_code, answer.json()) == (200, {"success": "Token revoked."})
    assert_problem(alice.me(), 401, "invalid_token")


def test_oauth_revoke_refuses_a_wrong_credential_and_revokes_nothing(shipping: Service, alice: Person) -> None:
    data = {"token": alice.access_token}
    assert_oauth_error(shipping.http.post(REVOKE, data=data, auth=("shipping", "x")), 401, "invalid_client")
    assert alice.me().status_code == 200


def test_token_of_an_application_cannot_be_revoked_by_itself(shipping: Service) -> None:
    token = shipping.token()
    assert_oauth_error(shipping.http.post(REVOKE, data={"token": token}), 400, "unsupported_token_type")
    assert shipping.http.post("/api/revoke/", data={"token": token}).status_code == 200


def test_unknown_token_is_revoked_without_an_error(shipping: Service) -> None:
    for token in ("x", "latchkey_p1", "8f14e45f-ceea-467f-a8f0-3f6d0b1a2c3d"):
        assert shipping.http.post(REVOKE, data={"token": token}).status_code == 200


@pytest.mark.parametrize("path", [REVOKE, "/api/revoke/"])
def test_api_key_is_revoked_by_its_holder_with_an_event(
    shipping: Service, path: str, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    made = api_key.generate(api_key.APPLICATION)
    ApiKey.objects.create(application=shipping.row, key_id=made.key_id, digest=made.digest, name="test")
    for _ in range(2):
        assert shipping.http.post(path, data={"token": made.key}).status_code == 200
    assert not ApiKey.objects.exists()
    (event,) = AuditEvent.objects.filter(name="api_key.revoked")
    assert made.key_id in event.detail
