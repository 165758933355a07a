"""Bodies with thousands of keys, or with keys as long as a body may be: ignored or rejected, without delay."""

import json

import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.support.endpoints import ENDPOINTS, nothing_changes, send, valid_body

LIMIT = 64 * 1024
NAMES = [f"{first}{second}" for first in map(chr, range(97, 190)) for second in map(chr, range(48, 92))]
"""Thousands of short keys that are no field of an endpoint."""


def with_keys(body: dict[str, str], size: int) -> dict[str, object]:
    """Add unknown keys to a body until it is just below this many bytes."""
    filled: dict[str, object] = dict(body)
    room = size - len(json.dumps(body))
    for name in NAMES:
        room -= len(json.dumps({name: 0}))
        if room < 0:
            return filled
        filled[name] = 0
    return filled


@pytest.mark.ledger("H-JSON-10")
@pytest.mark.parametrize("name", ENDPOINTS)
def test_endpoint_ignores_thousands_of_unknown_keys_and_a_very_long_key(alice: Person, name: str) -> None:
    body = valid_body(alice, name)
    wide = with_keys(body, LIMIT)
    long = {**body, "k" * 60_000: 0}
    assert len(wide) > 3_000
    if name == "register":
        long["email"] = "long@example.com"
    for filled in (wide, long):
        assert len(json.dumps(filled)) <= LIMIT
        answer = send(alice, name, filled)
        assert answer.status_code == ENDPOINTS[name].success, answer.text
        assert "kkkk" not in answer.text


@pytest.mark.ledger("H-JSON-10")
@pytest.mark.parametrize("name", ENDPOINTS)
def test_endpoint_rejects_ten_thousand_keys_and_a_key_of_a_megabyte_with_413(alice: Person, name: str) -> None:
    body = valid_body(alice, name)
    many = {**body, **{f"key{number}": 0 for number in range(10_000)}}
    with nothing_changes():
        for filled in (many, {**body, "k" * 1_000_000: 0}, {"k" * 1_000_000: 0}):
            assert_problem(send(alice, name, filled), 413, "content_too_large")
    assert send(alice, name, body).status_code == ENDPOINTS[name].success
