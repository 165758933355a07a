"""Client authentication by a signed assertion (private_key_jwt, RFC 7523)."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from latchkey.applications.models import Application
from latchkey.rate_limits.in_memory import MAX_PER_WINDOW
from latchkey.tokens.client_assertion import MAX_LENGTH, load_keys
from tests.oauth.applications import (
    ASSERTION_TYPE,
    GRANT,
    ISSUER,
    TOKEN,
    KeyPair,
    Service,
    add_service,
    as_parameters,
    assert_oauth_error,
)
from tests.support.captured_log import CapturedLog

HOUR = 3600


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    return KeyPair()


@pytest.fixture
def shipping(http: httpx.Client, pair: KeyPair) -> Service:
    """An application with a key pair."""
    return add_service(http, "shipping", ["orders:read"], public_keys=[pair.public])


def ask(service: Service, parameters: dict[str, str], **more: str) -> httpx.Response:
    return service.http.post(TOKEN, data=GRANT | parameters | more)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256", "PS256"])
def test_assertion_is_accepted_with_each_algorithm(http: httpx.Client, algorithm: str) -> None:
    pair = KeyPair("RS256" if algorithm == "PS256" else algorithm)
    service = add_service(http, "shipping", public_keys={"keys": [pair.public | {"alg": algorithm}]})
    assert ask(service, as_parameters(pair.sign(pair.claims("shipping"), algorithm))).status_code == 200
    other = "RS256" if algorithm == "PS256" else "PS256"
    if pair.algorithm == "RS256":
        assert_oauth_error(
            ask(service, as_parameters(pair.sign(pair.claims("shipping"), other))), 401, "invalid_client"
        )


def test_assertion_with_the_alg_of_rfc_9864_is_accepted(shipping: Service, pair: KeyPair) -> None:
    header = b'{"alg":"Ed25519","kid":"%s"}' % str(pair.kid).encode()
    body = urlsafe_b64encode(json.dumps(pair.claims("shipping")).encode())
    signed = b".".join(part.rstrip(b"=") for part in (urlsafe_b64encode(header), body))
    assertion = signed + b"." + urlsafe_b64encode(pair.private.sign(signed)).rstrip(b"=")
    assert ask(shipping, as_parameters(assertion.decode())).status_code == 200


def test_assertion_may_leave_out_the_key_id_and_name_the_client(shipping: Service, pair: KeyPair) -> None:
    assertion = pair.sign(pair.claims("shipping"), kid=None)
    assert ask(shipping, as_parameters(assertion)).status_code == 200
    assert ask(shipping, as_parameters(assertion), client_id="shipping").status_code == 200
    assert_oauth_error(ask(shipping, as_parameters(assertion), client_id="another"), 401, "invalid_client")


@pytest.mark.parametrize(
    "audience", [ISSUER, f"{ISSUER}/oauth/token/", f"{ISSUER}/oauth/token", [ISSUER], [f"{ISSUER}/oauth/token", ISSUER]]
)
def test_audience_is_the_issuer_or_the_token_endpoint(shipping: Service, pair: KeyPair, audience: Any) -> None:
    assert ask(shipping, pair.assertion("shipping", aud=audience)).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "another"},
        {"sub": "another"},
        {"iss": None},
        {"sub": None},
        {"sub": 1},
        {"iss": ["shipping"]},
        {"aud": None},
        {"aud": []},
        {"aud": "latchkey"},
        {"aud": "https://elsewhere.example"},
        {"aud": [ISSUER, "https://elsewhere.example"]},
        {"aud": [[ISSUER]]},
        {"aud": f"{ISSUER}/"},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": -31},
        {"exp": HOUR + 60},
        {"exp": 1e400},
        {"nbf": 60},
        {"iat": 60},
        {"iat": "now"},
    ],
    ids=str,
)
def test_assertion_with_a_wrong_claim_is_refused(shipping: Service, pair: KeyPair, claims: dict[str, Any]) -> None:
    now = int(time.time())
    shifted = {
        name: now + value if name in ("exp", "nbf", "iat") and type(value) is int else value
        for name, value in claims.items()
    }
    assert_oauth_error(ask(shipping, pair.assertion("shipping", **shifted)), 401, "invalid_client")


def test_clocks_may_differ_by_half_a_minute_and_an_assertion_may_last_an_hour(shipping: Service, pair: KeyPair) -> None:
    now = int(time.time())
    for claims in ({"exp": now - 20}, {"nbf": now + 20}, {"iat": now + 20}, {"exp": now + HOUR, "iat": None}):
        assert ask(shipping, pair.assertion("shipping", **claims)).status_code == 200, claims


def test_expired_assertion_of_the_right_key_is_answered_with_the_reason(shipping: Service, pair: KeyPair) -> None:
    answer = ask(shipping, pair.assertion("shipping", exp=1))
    assert "expired" in answer.json()["error_description"]
    stranger = KeyPair()
    wrong = ask(shipping, as_parameters(stranger.sign(stranger.claims("shipping", exp=1), kid=pair.kid)))
    assert "expired" not in wrong.json()["error_description"]


def test_assertion_is_refused_with_another_key_id_or_signature(shipping: Service, pair: KeyPair) -> None:
    stranger, claims = KeyPair(), pair.claims("shipping")
    good = pair.sign(claims)
    for assertion in (
        pair.sign(claims, kid="unknown"),
        stranger.sign(claims),
        stranger.sign(claims, kid=pair.kid),
        stranger.sign(claims, kid=None),
        good[:-4] + "AAAA",
        good.rpartition(".")[0] + ".",
        good + "=",
        "x",
        "..",
        "x" * 5000,
        good + "x" * MAX_LENGTH,
        "é",
    ):
        assert_oauth_error(ask(shipping, as_parameters(assertion)), 401, "invalid_client")


@pytest.mark.parametrize("header", [{"typ": "at+jwt"}, {"zip": "DEF"}, {"crit": ["x"], "x": 1}, {"typ": 1}], ids=str)
def test_assertion_with_a_header_of_something_else_is_refused(
    shipping: Service, pair: KeyPair, header: dict[str, Any]
) -> None:
    assertion = pair.sign(pair.claims("shipping"), **header)
    assert_oauth_error(ask(shipping, as_parameters(assertion)), 401, "invalid_client")
    typed = pair.sign(pair.claims("shipping"), typ="client-authentication+jwt")
    assert ask(shipping, as_parameters(typed)).status_code == 200


def test_assertion_is_never_verified_by_hmac_or_without_a_signature(http: httpx.Client) -> None:
    pair = KeyPair("RS256")
    service = add_service(http, "shipping", public_keys=[pair.public])
    claims = pair.claims("shipping")
    for key in (b"x" * 32, service.secret.encode(), str(pair.public["n"]).encode()):
        forged = jwt.encode(claims, key, "HS256", headers={"kid": pair.kid})
        assert_oauth_error(ask(service, as_parameters(forged)), 401, "invalid_client")
    unsigned = jwt.encode(claims, "", "none", headers={"kid": pair.kid})
    assert_oauth_error(ask(service, as_parameters(unsigned)), 401, "invalid_client")


def test_keys_that_are_symmetric_or_too_weak_or_malformed_verify_nothing() -> None:
    weak = rsa.generate_private_key(65537, 1024).public_key().public_numbers()
    number = urlsafe_b64encode(weak.n.to_bytes(128, "big")).rstrip(b"=").decode()
    for text in (
        '[{"kty":"oct","k":"AAAA","alg":"HS256","kid":"1"}]',
        f'[{{"kty":"RSA","n":"{number}","e":"AQAB","alg":"RS256","kid":"1"}}]',
        '[{"kty":"EC","crv":"P-384","x":"AA","y":"AA","kid":"1"}]',
        '[{"kty":"OKP","crv":"Ed25519","x":"AAAA","kid":"1"}]',
        '[{"kty":"OKP","alg":"none"}, 1, null, "x", {}, []]',
        "{}",
        "[]",
    ):
        assert load_keys(text) == ()


def test_key_pair_in_the_list_is_used_as_a_public_key_alone(http: httpx.Client) -> None:
    pair = KeyPair()
    (loaded,) = load_keys(json.dumps([pair.public | {"d": "AAAA"}]))
    assert loaded.signing_key is None


def test_assertion_of_another_type_or_without_one_is_refused(shipping: Service, pair: KeyPair) -> None:
    assertion = pair.sign(pair.claims("shipping"))
    for parameters in (
        {"client_assertion": assertion},
        {"client_assertion_type": ASSERTION_TYPE},
        {"client_assertion": assertion, "client_assertion_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"},
    ):
        assert_oauth_error(ask(shipping, parameters), 401, "invalid_client")
    both = as_parameters(assertion) | {"client_id": "shipping", "client_secret": shipping.secret}
    assert_oauth_error(ask(shipping, both), 400, "invalid_request")


def test_assertion_of_an_unknown_or_deactivated_application_is_refused(shipping: Service, pair: KeyPair) -> None:
    assert_oauth_error(ask(shipping, pair.assertion("nobody")), 401, "invalid_client")
    Application.objects.update(is_active=False)
    assert_oauth_error(ask(shipping, pair.assertion("shipping")), 401, "invalid_client")


def test_removed_public_key_verifies_nothing_from_the_next_request_on(shipping: Service, pair: KeyPair) -> None:
    assert ask(shipping, pair.assertion("shipping")).status_code == 200
    Application.objects.update(public_keys=[])
    assert_oauth_error(ask(shipping, pair.assertion("shipping")), 401, "invalid_client")


def test_assertion_takes_one_statement(
    shipping: Service, pair: KeyPair, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    assertion = pair.assertion("shipping")
    ask(shipping, assertion)  # the policy is cached now
    assert len(statements(partial(ask, shipping, assertion))) == 1


def test_wrong_assertions_are_logged_by_reason_and_limited(
    shipping: Service, pair: KeyPair, captured_log: CapturedLog
) -> None:
    wrong = pair.assertion("shipping", aud="https://elsewhere.example")
    statuses = [ask(shipping, wrong).status_code for _ in range(MAX_PER_WINDOW + 1)]
    assert statuses == [401] * MAX_PER_WINDOW + [429]
    assert captured_log.lines("service.refused")[0]["reason"] == "assertion audience"
    assert wrong["client_assertion"] not in captured_log.text
    assert ask(shipping, pair.assertion("shipping")).status_code == 200
