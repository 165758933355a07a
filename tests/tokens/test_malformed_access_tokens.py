"""Malformed access tokens: wrong content under a valid signature, and wrong serializations."""

import json
import time
from typing import Any

import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.support.endpoints import nothing_changes
from tests.support.forged_tokens import encode_segment, forge, header_and_claims, sign


def assert_foreign(alice: Person, token: str) -> None:
    assert_problem(alice.me(token), 401, "invalid_token")


@pytest.mark.ledger("RFC8725-3.7", "REG-PYJWT-08", "REG-PYJWT-09", "H-JWT-12")
def test_signed_access_token_that_is_not_two_json_objects_is_refused(alice: Person) -> None:
    header, claims = header_and_claims(alice)
    whole, head = json.dumps(claims), json.dumps(header)
    payloads: list[Any] = ["", "[]", "1", "null", '"x"', "{", whole[:-1], "[" * 2500, '{"a":' * 500, b"\xff\xfe"]
    payloads += [whole.encode().replace(b"http", b"\xed\xa0\x80")]
    headers: list[Any] = ["", "[]", "1", "null", "{", "[" * 2500, '{"alg":' * 350, b"\xff"]
    with nothing_changes():
        for payload in payloads:
            assert_foreign(alice, sign(header, payload))
        for odd in headers:
            assert_foreign(alice, sign(odd, claims))
    assert alice.me(sign(head, whole)).status_code == 200


@pytest.mark.ledger("RFC8725-3.7")
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_signed_access_token_in_another_text_encoding_is_refused(alice: Person, encoding: str) -> None:
    header, claims = header_and_claims(alice)
    assert_foreign(alice, sign(header, json.dumps(claims).encode(encoding)))
    assert_foreign(alice, sign(json.dumps(header).encode(encoding), claims))


@pytest.mark.ledger("RFC8725-3.3", "RFC8725bis-fmt", "REG-PYJWT-06", "CS-JWT-2", "H-JWT-16", "REG-JWELIBS-01")
def test_access_token_in_any_but_compact_serialization_is_refused(alice: Person) -> None:
    token = alice.access_token
    header, payload, signature = token.split(".")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    same_bits = last[last.index(signature[-1]) ^ 1]
    forms = [f"{token}=", f"{token}==", f"{token}.", f".{token}", f"{token}.{token}", f"{token}.a.b", f"{token}%00"]
    forms += [f"{header}.{payload}", f"{header}.{payload}.", f"{header}..{signature}", f".{payload}.{signature}"]
    forms += [f"{header}=.{payload}.{signature}", f"{header}.{payload}=.{signature}", f'{{"payload":"{payload}"}}']
    forms += [token[:-1], token[:-1] + same_bits, token + "A", token.upper(), token[::-1], token.swapcase()]
    forms += [f"{header}.{payload}.{'A' * 43}", f"{header}.{payload}.+/+/", f'"{token}"', token.replace(".", "%2E")]
    forms += ["..", "a.b.c", "{}", "null", "x" * 43, "A" * 4097, "." * 5000, f"{header}.{'A' * 60_000}.{signature}"]
    with nothing_changes():
        for form in forms:
            assert_foreign(alice, form)
    assert alice.me(token).status_code == 200


def test_signed_access_token_over_4096_characters_is_refused(alice: Person) -> None:
    assert alice.me(forge(alice, extra="x" * 2000)).status_code == 200
    assert_foreign(alice, forge(alice, extra="x" * 4000))


@pytest.mark.ledger("REG-PYJWT-10")
def test_malformed_access_token_does_not_disable_later_checks(alice: Person) -> None:
    expired = forge(alice, exp=int(time.time()) - 1)
    assert_foreign(alice, expired)
    assert_foreign(alice, f"{encode_segment({'alg': 'none', 'typ': 'at+jwt'})}.{encode_segment({'exp': 1})}.x")
    assert_foreign(alice, expired)
    assert alice.me().status_code == 200
