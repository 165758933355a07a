"""JSON bodies that are malformed, or that two parsers could read differently."""

import codecs
import json

import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.support.endpoints import ENDPOINTS, FIELDS, nothing_changes, send, valid_body

GOOD = b'{"refresh_token": "2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42", "email": "a@example.com"}'
MALFORMED = {
    "cut off": GOOD[:-1],
    "cut within a string": GOOD[:-5],
    "trailing comma": GOOD[:-1] + b",}",
    "trailing text": GOOD + b"x",
    "two documents": GOOD + GOOD,
    "single quotes": GOOD.replace(b'"', b"'"),
    "no quotes": b"{refresh_token: 1}",
    "comment": b"/* */" + GOOD,
    "raw newline in a string": GOOD.replace(b"example", b"exam\nple"),
    "bad escape": GOOD.replace(b"example", b"\\xexample"),
    "cut surrogate escape": GOOD.replace(b"example", b"\\ud8"),
    "only spaces": b"   ",
    "form": b"refresh_token=x&email=y",
    "xml": b"<refresh_token/>",
    "NaN": b'{"email": NaN}',
    "Infinity": b'{"refresh_token": Infinity}',
    "-Infinity": b'{"username": -Infinity}',
    "NaN in an unknown field": GOOD[:-1] + b', "x": [NaN]}',
    "integer of 5,000 digits": b'{"email": ' + b"9" * 5000 + b"}",
    "negative integer of 5,000 digits": b'{"x": -' + b"9" * 5000 + b"}",
    "byte-order mark": codecs.BOM_UTF8 + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-16 without its mark": GOOD.decode().encode("utf-16-le"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "Latin-1": GOOD.replace(b"example", b"ex\xe9mple"),
    "bytes FF FE": b"\xff\xfe",
    "overlong NUL": GOOD.replace(b"example", b"\xc0\x80"),
    "CESU-8 surrogates": GOOD.replace(b"example", b"\xed\xa0\xbd\xed\xb8\x80"),
    "a list": b"[" + GOOD + b"]",
    "an empty list": b"[]",
    "a string": b'"refresh_token"',
    "a number": b"1",
    "true": b"true",
    "null": b"null",
    "lists 5,000 deep": b"[" * 5000 + b"]" * 5000,
    "lists 5,000 deep, never closed": b"[" * 5000,
    "lists 30,000 deep in a field": b'{"email": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "objects 10,000 deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
}


@pytest.mark.ledger(
    "H-JSON-01",
    "H-JSON-04",
    "H-JSON-08",
    "H-JSON-09",
    "RFC8259-8.1",
    "RFC9457-3.1.4",
    "REG-ALLAUTH-16",
)
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_api_refuses_malformed_json_with_parse_error(alice: Person, body: bytes) -> None:
    with nothing_changes():
        for name in ENDPOINTS:
            assert_problem(send(alice, name, body), 400, "parse_error", ["body"])


@pytest.mark.ledger("H-JSON-04", "H-JSON-05", "REG-DRF-01")
@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"email": ' + b"[" * 100_000])
def test_api_refuses_json_nested_100000_levels_deep_with_413(alice: Person, body: bytes) -> None:
    with nothing_changes():
        for name in ENDPOINTS:
            assert_problem(send(alice, name, body), 413, "content_too_large")


@pytest.mark.ledger("H-JSON-09")
@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_api_refuses_a_number_out_of_range_as_field_value(alice: Person, name: str, field: str) -> None:
    with nothing_changes():
        for number in ("1e400", "-1e400", "1" * 4000, "1E-400"):
            body = json.dumps(valid_body(alice, name) | {field: "@"}).replace('"@"', number)
            assert_problem(send(alice, name, body.encode()), 400, "invalid", [field])


@pytest.mark.ledger("H-JSON-03")
@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_api_refuses_a_duplicate_json_key(alice: Person, name: str, field: str) -> None:
    body = json.dumps(valid_body(alice, name))
    twin = f"\\u{ord(field[0]):04x}{field[1:]}"
    with nothing_changes():
        for key in (field, twin, f"{field[:-1]}\\u{ord(field[-1]):04X}"):
            for doubled in (f'{{"{key}": "x", {body[1:]}', f'{body[:-1]}, "{key}": "x"}}'):
                assert_problem(send(alice, name, doubled.encode()), 400, "duplicate_key", ["body"])
        nested = f'{body[:-1]}, "x": [{{"a": 1, "\\u0061": 1}}]}}'
        assert_problem(send(alice, name, nested.encode()), 400, "duplicate_key", ["body"])


def test_api_accepts_an_escaped_json_key(alice: Person) -> None:
    body = f'{{"refresh\\u005ftoken": "{alice.refresh_token}"}}'
    assert send(alice, "refresh", body.encode()).status_code == 200


@pytest.mark.parametrize("name", ENDPOINTS)
def test_api_treats_an_empty_body_as_an_empty_json_object(alice: Person, name: str) -> None:
    if name == "patch me":
        assert send(alice, name, b"").status_code == 200
    else:
        with nothing_changes():
            assert_problem(send(alice, name, b""), 400, "invalid", ENDPOINTS[name].fields)
