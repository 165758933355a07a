"""Tokens signed with the right key: each is accepted with exactly the claims in it, or rejected."""

import json
import logging
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.exceptions import InvalidToken
from latchkey.tokens.access_token import AccessToken, issue, verify
from tests.fuzz.strategies import DERANDOMIZED, JSON
from tests.people import Person
from tests.problems import assert_problem
from tests.support.forged_tokens import sign

NOW = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)
HEADER = {"alg": "HS256", "typ": "at+jwt"}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
MEMBERS = st.sampled_from(["alg", "typ", "zip", "crit", "kid", "b64", "jwk", "x"])
CLAIMS = st.sampled_from(["user_id", "sub", "sid", "iat", "exp", "nbf", "jti", "iss", "aud", "x"])
VALUES = JSON | st.sampled_from([1, "1", "7", 0, -1, 2**63, 2**64, 1e300, "latchkey", ["latchkey"], "HS256", "none"])


def claims(**changed: Any) -> dict[str, Any]:
    token = issue(7, 1, NOW, timedelta(seconds=30))
    decoded: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return decoded | changed


def verified(header: Any, payload: Any) -> AccessToken | None:
    try:
        return verify(sign(json.dumps(header), json.dumps(payload)), NOW)
    except InvalidToken:
        return None


def test_verify_accepts_the_token_that_the_fuzz_tests_modify() -> None:
    token = verified(HEADER, claims())
    assert token is not None
    assert (token.user_id, token.session_id, token.expires_at - token.issued_at) == (7, 1, 30)


@DERANDOMIZED
@given(JSON, JSON)
def test_verify_rejects_any_json_without_all_required_claims(header: Any, payload: Any) -> None:
    assert verified(HEADER, payload) is None
    assert verified(header, claims()) is None


@DERANDOMIZED
@given(st.dictionaries(CLAIMS, VALUES, min_size=1, max_size=3))
def test_verify_with_modified_claims_returns_exactly_those_claims_or_rejects(modified: dict[str, Any]) -> None:
    payload = claims(**modified)
    token = verified(HEADER, payload)
    if token is not None:
        assert payload["user_id"] == token.user_id
        assert type(payload["user_id"]) is int
        assert payload["sub"] == str(token.user_id)
        assert int(payload["sid"]) == token.session_id
        assert payload["iat"] - 30 <= NOW.timestamp() < payload["exp"]


@DERANDOMIZED
@given(st.dictionaries(MEMBERS, VALUES, min_size=1, max_size=3))
def test_verify_with_a_modified_header_returns_the_same_token_or_rejects(modified: dict[str, Any]) -> None:
    token = verified(HEADER | modified, claims())
    assert token is None or (token.user_id, token.session_id) == (7, 1)
    assert token is None or "zip" not in modified


@DERANDOMIZED
@given(st.binary(max_size=80), st.binary(max_size=80))
def test_verify_rejects_any_bytes_under_a_valid_signature(header: bytes, payload: bytes) -> None:
    with pytest.raises(InvalidToken):
        verify(sign(header, json.dumps(claims())), NOW)
    with pytest.raises(InvalidToken):
        verify(sign(HEADER, payload), NOW)


@pytest.mark.ledger("H-JWT-19")
def test_me_rejects_a_thousand_invalid_signatures_with_one_log_line_each(
    alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    draw = Random(1)
    head = alice.access_token.rpartition(".")[0]
    caplog.set_level(logging.INFO)
    caplog.clear()
    for _ in range(1000):
        assert_problem(alice.me(f"{head}.{''.join(draw.choices(ALPHABET, k=43))}"), 401, "invalid_token")
    assert len(caplog.records) == 1000
    assert not [record for record in caplog.records if head in record.getMessage()]
    assert alice.me().status_code == 200
