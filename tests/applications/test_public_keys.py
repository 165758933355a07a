"""Public keys of applications: which key sets are accepted, what is stored, and the sentence about every other one."""

import json
from typing import Any

import pytest

from latchkey.tokens.public_keys import MAX_KEYS, MAX_TEXT_LENGTH, check_public_keys, parse_public_keys
from tests.applications.keys import make_jwk


@pytest.mark.parametrize(
    ("kind", "named", "stored"),
    [
        *(("EC", None, "ES256"), ("EC", "ES256", "ES256"), ("OKP", None, "EdDSA"), ("OKP", "Ed25519", "EdDSA")),
        *(("RSA", None, "RS256"), ("RSA", "PS256", "PS256")),
    ],
)
def test_public_key_is_stored_with_one_algorithm_and_its_public_members(
    kind: str, named: str | None, stored: str
) -> None:
    jwk = make_jwk(kind, use="sig", x5c=["AAAA"]) | ({"alg": named} if named else {})
    (key,) = check_public_keys({"keys": [jwk]})
    public = {"RSA": {"n", "e"}, "EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}}[kind]
    assert key == {"kid": "k1", "alg": stored, "use": "sig", "kty": kind} | {name: jwk[name] for name in public}


@pytest.mark.parametrize("kind", ["EC", "OKP", "RSA"])
def test_private_key_in_a_key_set_is_refused_and_not_repeated(kind: str) -> None:
    jwk = make_jwk(kind, private=True)
    with pytest.raises(ValueError, match="Key 2 is a private key") as refusal:
        parse_public_keys(json.dumps({"keys": [make_jwk(kid="a"), jwk]}))
    assert jwk["d"] not in str(refusal.value)


def test_private_key_in_pem_is_refused() -> None:
    with pytest.raises(ValueError, match="This is a private key"):
        parse_public_keys("-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----")


@pytest.mark.parametrize(
    ("jwk", "sentence"),
    [
        ({"kty": "oct", "k": "aGVsbG8", "kid": "a"}, "is a symmetric key"),
        ({"kty": "EC", "k": "aGVsbG8", "kid": "a"}, "is a symmetric key"),
        ({"kty": "XYZ", "kid": "a"}, 'needs "kty"'),
        ({"kty": ["EC"], "kid": "a"}, 'needs "kty"'),
        ({"kid": "a"}, 'needs "kty"'),
        ("x", "is no JSON object"),
        ({"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA", "kid": "a"}, "is not an EC key on the curve P-256"),
        ({"kty": "EC", "crv": "P-256", "x": 1, "y": None, "kid": "a"}, "is not an EC key on the curve P-256"),
        ({"kty": "OKP", "crv": "X25519", "x": "A" * 43, "kid": "a"}, "is not an OKP key on the curve Ed25519"),
        ({"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "a"}, "is not an RSA key of 2048 to 8192 bits"),
    ],
)
def test_key_that_is_no_public_key_for_signatures_is_refused(jwk: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"Key 1 {sentence}"):
        check_public_keys([jwk])


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        *(({"kid": ""}, '"kid"'), ({"kid": "é"}, '"kid"'), ({"kid": "a\n"}, '"kid"'), ({"kid": 1}, '"kid"')),
        *(({"kid": "x" * 129}, '"kid"'), ({"use": "enc"}, "signatures"), ({"key_ops": ["sign"]}, "signatures")),
        *(({"key_ops": "verify"}, "signatures"), ({"alg": "HS256"}, "ES256"), ({"alg": "none"}, "ES256")),
        *(({"alg": None}, "ES256"), ({"alg": ["ES256"]}, "ES256"), ({"alg": "RS256"}, "ES256")),
    ],
)
def test_key_with_a_wrong_member_is_refused(more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_public_keys([make_jwk() | more])


@pytest.mark.parametrize("kind", ["RSA-1024", "P-384"])
def test_key_of_a_size_or_curve_that_is_not_supported_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="Key 1 "):
        check_public_keys([make_jwk(kind)])


def test_two_keys_with_the_same_kid_are_refused() -> None:
    with pytest.raises(ValueError, match='Key 2 has the "kid" of another one'):
        check_public_keys([make_jwk(kid="a"), make_jwk(kid="a")])
    assert len(check_public_keys([make_jwk(kid=f"k{number}") for number in range(MAX_KEYS)])) == MAX_KEYS
    with pytest.raises(ValueError, match=f"at most {MAX_KEYS} public keys"):
        check_public_keys([make_jwk(kid=f"k{number}") for number in range(MAX_KEYS + 1)])


@pytest.mark.parametrize(
    "text", ["x", "1", "[", '{"keys": 1}', "{}", "null", '"a"', "[" * 30_000, "[1]", "x" * (MAX_TEXT_LENGTH + 1)]
)
def test_text_that_is_no_key_set_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        parse_public_keys(text)


def test_empty_key_set_has_no_key() -> None:
    assert [parse_public_keys(text) for text in ("", " \n", "[]", '{"keys": []}')] == [[]] * 4
