"""Key pairs of the key set: every endpoint signs and verifies access tokens with them, not with a key of the secret."""

from typing import Any

import httpx
import jwt
import pytest

from latchkey.signing_keys.models import SigningKey
from latchkey.signing_keys.startup import prepare_keys
from tests.oauth.conftest import ResourceServer
from tests.people import PASSWORD, Person


@pytest.fixture
def key_id(http: httpx.Client, settings: Any) -> str:
    """The id of the key pair that signs."""
    settings.SIGNING_ALGORITHM = "EdDSA"
    prepare_keys()
    return str(SigningKey.objects.get().kid)


def test_login_refresh_and_password_change_sign_with_the_key_set(key_id: str, http: httpx.Client) -> None:
    alice = Person(http, "alice@example.com").register().login()
    tokens = [alice.access_token, alice.refresh().access_token]
    body = {"current_password": PASSWORD, "new_password": "seven purple trains to the sea"}
    changed = http.post("/api/password/change/", json=body, headers=alice.bearer())
    tokens.append(changed.json()["access_token"])
    assert [jwt.get_unverified_header(token)["kid"] for token in tokens] == [key_id] * 3


def test_me_verify_introspect_and_revoke_accept_tokens_of_the_key_set(
    key_id: str, http: httpx.Client, payments: ResourceServer
) -> None:
    alice = Person(http, "alice@example.com").register().login()
    assert alice.me().status_code == 200
    assert http.get("/api/sessions/", headers=alice.bearer()).status_code == 200
    assert http.get("/api/verify/", headers=alice.bearer()).status_code == 204
    assert payments.introspect_json(alice.access_token)["active"] is True
    assert http.post("/api/revoke/", data={"token": alice.access_token}).status_code == 200
    assert alice.me().status_code == 401
