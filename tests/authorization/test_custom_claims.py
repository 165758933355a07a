"""Custom claims: what is stored, what stands in tokens, and what is refused with a sentence."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.accounts.models import User
from latchkey.audit.log import COMMAND_LINE
from latchkey.audit.models import AuditEvent
from latchkey.authorization.custom_claims import MAX_DEPTH, parse_claims, set_claims, validate_claims
from latchkey.authorization.token_claims import MAX_CLAIMS_LENGTH
from tests.authorization.members import claim, grant, said
from tests.people import Person
from tests.support.simultaneous import decode_claims

RESERVED = ("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "sid", "user_id", "client_id", "scope", "roles", "acr")


def nested(depth: int) -> dict[str, Any]:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return {"a": value}


def test_claims_stand_in_tokens_as_they_were_set(alice: Person) -> None:
    claims: dict[str, Any] = {"department": "sales", "né": [1, 2.5, -0.25, True, None, {"a": {}}], "": ""}
    claim(alice, claims)
    assert User.objects.get(pk=alice.id).claims == claims
    assert said(alice.login().access_token) == said(alice.refresh().access_token) == {"claims": claims}


@pytest.mark.ledger("ASVS-9.2.1")
def test_cve_2024_29892_reserved_names_in_custom_claims_change_no_claim_of_a_token(alice: Person) -> None:
    before = decode_claims(alice.refresh().access_token)
    grant(alice, "editor")
    claim(alice, dict.fromkeys(RESERVED, "x"))
    after = decode_claims(alice.refresh().access_token)
    assert after.pop("claims") == dict.fromkeys(RESERVED, "x")
    assert after.pop("roles") == ["editor"]
    assert after.keys() == before.keys()
    changing = {"iat", "exp", "jti"}
    assert {name: after[name] for name in after.keys() - changing} == {
        name: before[name] for name in before.keys() - changing
    }
    assert alice.me().json()["id"] == alice.id


def test_claims_have_exactly_1024_bytes_as_json_or_less(alice: Person) -> None:
    frame = len('{"a":""}')
    assert set_claims(alice.id, {"a": "x" * (MAX_CLAIMS_LENGTH - frame)}, COMMAND_LINE)
    with pytest.raises(ValueError, match="at most 1,024 bytes as JSON; these have 1,025"):
        validate_claims({"a": "x" * (MAX_CLAIMS_LENGTH - frame + 1)})
    assert validate_claims({"a": "ä" * 169})  # six bytes each in a token
    with pytest.raises(ValueError, match="at most 1,024 bytes"):
        validate_claims({"a": "ä" * 170})
    assert len(said(alice.refresh().access_token)["claims"]["a"]) == MAX_CLAIMS_LENGTH - frame


def test_claims_at_the_limit_have_their_length_after_they_were_stored(alice: Person) -> None:
    """PostgreSQL stores numbers as decimals: one with an exponent would be written with all its digits."""
    numbers = {"a": [0.0001, 2**53 - 1, -(2**53) + 1, 123456.789e3, 0.1 + 0.2]}
    claim(alice, numbers)
    grant(alice, "editor")
    assert User.objects.get(pk=alice.id).claims == numbers
    assert said(alice.refresh().access_token)["claims"] == numbers


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"a": float("nan")}, "Numbers in custom claims"),
        ({"a": [float("inf")]}, "Numbers in custom claims"),
        ({"a": 2**53}, "Numbers in custom claims"),
        ({"a": -(10**400)}, "Numbers in custom claims"),
        ({"a": 1e300}, "Numbers in custom claims"),
        ({"a": 1e-300}, "Numbers in custom claims"),
        ({"a": "\0"}, "no NUL character"),
        ({"a\0": ""}, "no NUL character"),
        ({"a": {"b": ["\ud800"]}}, "half of a surrogate pair"),
        ({"\udfff": 1}, "half of a surrogate pair"),
        (nested(MAX_DEPTH), "at most 16 arrays and objects"),
        (nested(100_000), "at most 16 arrays and objects"),
        ({1: "a"}, "Custom claims are JSON: "),
        ({"a": datetime.now(UTC)}, "Custom claims are JSON: "),
        ({"a": {1, 2}}, "Custom claims are JSON: "),
        ([], "Custom claims are a JSON object"),
        (None, "Custom claims are a JSON object"),
        ("{}", "Custom claims are a JSON object"),
    ],
)
def test_claims_that_cannot_be_stored_are_refused_with_a_sentence(claims: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        validate_claims(claims)


def test_claims_of_the_greatest_depth_are_accepted(alice: Person) -> None:
    deepest = nested(MAX_DEPTH - 1)
    claim(alice, deepest)
    assert said(alice.refresh().access_token) == {"claims": deepest}


@pytest.mark.parametrize("text", [r'{"a":"\\u0000"}', r'{"a":"\ud83d\ude00"}', '{"a":"\U0001f600"}', ' {"a" : 1} '])
def test_typed_claims_are_read(text: str) -> None:
    assert parse_claims(text) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no JSON object"),
        ("{", "no JSON object"),
        ("{'a': 1}", "It is wrong near"),
        ("[" * 100_000, "at most 1,024 bytes"),
        ('{"a": NaN}', "Numbers in custom claims"),
        ('{"a": 1e999}', "Numbers in custom claims"),
        ('{"a": 1, "a": 2}', "The name 'a' stands in one object twice"),
        ("null", "Custom claims are a JSON object"),
        (f'{{"a": {"9" * 5_000}}}', "at most 1,024 bytes"),
        (f'{{"a": {"9" * 4_000}}}', "Numbers in custom claims"),
        ("[" * 4_000, "no JSON object"),
    ],
)
def test_typed_claims_that_are_wrong_are_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_claims(text)


def test_claims_are_compared_by_their_json(alice: Person) -> None:
    """In Python, True equals 1."""
    assert set_claims(alice.id, {"a": 1, "b": 2}, COMMAND_LINE)
    assert not set_claims(alice.id, {"b": 2, "a": 1}, COMMAND_LINE)
    assert set_claims(alice.id, {"a": True, "b": 2}, COMMAND_LINE)
    assert said(alice.refresh().access_token)["claims"]["a"] is True
    assert AuditEvent.objects.filter(name="claims.changed").count() == 2


def test_event_of_changed_claims_does_not_repeat_them(alice: Person) -> None:
    claim(alice, {"illness": "asthma"})
    event = AuditEvent.objects.get(name="claims.changed")
    assert (event.user_id, event.detail) == (alice.id, "command line")


@pytest.mark.parametrize("claims", [{}, {"a": {}}])
def test_empty_claims_are_stored_as_none(alice: Person, claims: dict[str, Any]) -> None:
    claim(alice, {"b": 1})
    claim(alice, claims)
    user = User.objects.get(pk=alice.id)
    assert (user.claims, bool(user.token_claims)) == ((claims or None), bool(claims))


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.decimals(-1_000, 1_000, places=3).map(float)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=3))
def test_any_accepted_claims_are_the_same_after_json(claims: dict[str, Any]) -> None:
    try:
        valid = validate_claims(claims)
    except ValueError:
        return
    assert parse_claims(json.dumps(valid)) == claims
