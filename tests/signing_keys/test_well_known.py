"""GET /.well-known/jwks.json, openid-configuration and oauth-authorization-server."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
import time_machine

from latchkey.authorization.models import Scope
from latchkey.core import clock as clocks
from latchkey.signing_keys import key_set
from latchkey.signing_keys.models import SigningKey
from latchkey.signing_keys.rotation import rotate
from latchkey.signing_keys.startup import prepare_keys
from latchkey.tokens.jwk import ALGORITHMS
from tests.fixtures.database import DatabaseDown
from tests.people import Person
from tests.problems import assert_problem

JWKS, OPENID, OAUTH = (
    f"/.well-known/{name}" for name in ("jwks.json", "openid-configuration", "oauth-authorization-server")
)
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@pytest.fixture
def signing_algorithm(http: httpx.Client, settings: Any) -> Callable[[str], None]:
    """Act as a node that has started with this algorithm."""

    def choose(algorithm: str) -> None:
        settings.SIGNING_ALGORITHM = algorithm
        prepare_keys()
        key_set.clear_cache()

    return choose


@pytest.mark.ledger("RFC7517-9")
def test_jwks_is_empty_while_tokens_are_signed_with_hs256(http: httpx.Client) -> None:
    assert http.get(JWKS).json() == {"keys": []}


@pytest.mark.ledger("RFC7517-4", "RFC7517-9", "RFC9068-2.1")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_access_token_verifies_with_the_published_jwks(
    http: httpx.Client, signing_algorithm: Callable[[str], None], algorithm: str
) -> None:
    signing_algorithm(algorithm)
    alice = Person(http, "alice@example.com").register().login()
    (jwk,) = http.get(JWKS).json()["keys"]
    header = jwt.get_unverified_header(alice.access_token)
    assert header == {"alg": algorithm, "typ": "at+jwt", "kid": jwk["kid"]}
    key = jwt.PyJWKSet.from_dict(http.get(JWKS).json())[header["kid"]]
    verified = jwt.decode(alice.access_token, key, [algorithm], audience="latchkey", issuer="http://127.0.0.1:8000")
    assert verified["user_id"] == alice.id
    assert alice.refresh().me().json()["email"] == alice.email


@pytest.mark.ledger("RFC7517-4", "RFC7517-4.5")
def test_jwks_has_only_public_members_and_distinct_kids(
    http: httpx.Client, signing_algorithm: Callable[[str], None]
) -> None:
    for algorithm in ALGORITHMS:
        signing_algorithm(algorithm)
        SigningKey.objects.update(signs_from="2020-01-01T00:00Z")
    keys = http.get(JWKS).json()["keys"]
    assert [key["alg"] for key in keys] == list(ALGORITHMS)
    assert len({key["kid"] for key in keys}) == 3
    assert not [key for key in keys if PRIVATE & set(key)]
    assert {key["use"] for key in keys} == {"sig"}


def test_jwks_lists_a_key_from_before_it_signs_until_its_last_token_expires(
    clock: time_machine.Traveller, http: httpx.Client, signing_algorithm: Callable[[str], None]
) -> None:
    signing_algorithm("EdDSA")
    first = SigningKey.objects.get().kid
    second = rotate("EdDSA", clocks.now()).kid
    published = {}
    for minutes in (0, 9, 10, 70, 71):
        with time_machine.travel(clocks.now() + timedelta(minutes=minutes), tick=False):
            key_set.clear_cache()
            published[minutes] = [key["kid"] for key in http.get(JWKS).json()["keys"]]
    assert published == {0: [first, second], 9: [first, second], 10: [first, second], 70: [first, second], 71: [second]}


def test_jwks_is_cacheable_and_answers_304_to_a_matching_etag(
    http: httpx.Client, signing_algorithm: Callable[[str], None]
) -> None:
    signing_algorithm("EdDSA")
    first = http.get(JWKS)
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert first.headers["Content-Type"] == "application/json"
    again = http.get(JWKS, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "Content-Length" not in again.headers
    signing_algorithm("ES256")
    assert http.get(JWKS, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


@pytest.mark.ledger("RFC9700-2.6-1")
def test_openid_configuration_names_the_token_issuer_and_urls_below_it(http: httpx.Client, alice: Person) -> None:
    metadata = http.get(OPENID).json()
    assert metadata == http.get(OAUTH).json()
    claims = jwt.decode(alice.access_token, options={"verify_signature": False})
    assert metadata["issuer"] == claims["iss"]
    addresses = {
        name: value for name, value in metadata.items() if name.endswith(("_uri", "_endpoint", "_documentation"))
    }
    assert all(value.startswith(f"{claims['iss']}/") for value in addresses.values())
    assert addresses["jwks_uri"] == f"{claims['iss']}{JWKS}"
    assert http.get(metadata["jwks_uri"]).status_code == http.get(metadata["service_documentation"]).status_code == 200


def test_metadata_names_the_endpoints_of_oauth_with_their_methods_and_algorithms(http: httpx.Client) -> None:
    metadata, url = http.get(OAUTH).json(), "http://127.0.0.1:8000/oauth"
    methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
    algorithms = ["ES256", "Ed25519", "EdDSA", "PS256", "RS256"]
    assert metadata == http.get(OPENID).json()
    assert metadata["grant_types_supported"] == ["client_credentials"]
    for name, path, accepted in (
        ("token", "token", methods),
        ("introspection", "introspect", methods),
        ("revocation", "revoke", ["none", *methods]),
    ):
        assert metadata[f"{name}_endpoint"] == f"{url}/{path}/"
        assert metadata[f"{name}_endpoint_auth_methods_supported"] == accepted
        assert metadata[f"{name}_endpoint_auth_signing_alg_values_supported"] == algorithms
        assert http.options(f"/oauth/{path}/").status_code == 204


def test_metadata_lists_the_scopes_at_once_and_is_answered_while_the_database_is_down(
    http: httpx.Client, database_down: DatabaseDown
) -> None:
    Scope.objects.create(name="orders:read", description="Read orders.")
    metadata = http.get(OAUTH).json()
    assert metadata["scopes_supported"] == ["orders:read", "users:read", "users:write"]
    with database_down():
        answer = http.get(OAUTH)
    assert answer.status_code == 200
    assert answer.json() == {name: value for name, value in metadata.items() if name != "scopes_supported"}


def test_metadata_is_below_the_path_of_the_public_url(http: httpx.Client, settings: Any) -> None:
    settings.PUBLIC_URL = "https://example.com/auth"
    metadata = http.get(OAUTH).json()
    assert metadata["issuer"] == "https://example.com/auth"
    assert metadata["token_endpoint"] == "https://example.com/auth/oauth/token/"


def test_openid_configuration_offers_no_sign_in_and_has_no_empty_lists(http: httpx.Client, settings: Any) -> None:
    metadata = http.get(OPENID).json()
    assert not {"authorization_endpoint", "registration_endpoint", "userinfo_endpoint"} & set(metadata)
    assert [] not in metadata.values()  # RFC 8414 section 3.2
    settings.API_DOCS = False
    assert "service_documentation" not in http.get(OPENID).json()


@pytest.mark.parametrize("path", [JWKS, OPENID, OAUTH])
def test_well_known_documents_refuse_other_methods_than_get_and_head(http: httpx.Client, path: str) -> None:
    got, headed = http.get(path), http.head(path)
    assert headed.status_code == 200
    for header in ("Content-Type", "Cache-Control", "Content-Length"):
        assert got.headers[header] == headed.headers[header]
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "FOO"):
        answer = http.request(method, path)
        assert_problem(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"] == "GET, HEAD"


def test_jwks_requests_read_the_database_at_most_once_a_second(
    http: httpx.Client, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    assert len(statements(lambda: [http.get(JWKS) for _ in range(20)])) <= 2


def test_jwks_is_served_from_cache_during_a_database_outage_and_gets_503_without_cache(
    http: httpx.Client, signing_algorithm: Callable[[str], None], database_down: DatabaseDown
) -> None:
    signing_algorithm("EdDSA")
    keys = http.get(JWKS).json()
    with database_down():
        key_set._Cache.read_at = 0.0
        assert http.get(JWKS).json() == keys
        key_set.clear_cache()
        assert_problem(http.get(JWKS), 503, "unavailable")
    assert http.get(JWKS).json() == keys
