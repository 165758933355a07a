"""latchkey.tokens.jwk: generation, thumbprints, publication and serialization of signing keys."""

import json
from typing import Any

import jwt
import pytest

from latchkey.tokens.jwk import ALGORITHMS, generate, key_from_jwk, public_jwk, thumbprint, to_pkcs8

RFC7638: dict[str, Any] = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"  # noqa: E501  # the words of RFC 7638
    "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvR"
    "L5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDK"
    "gw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
PUBLIC = {"EdDSA": {"crv", "x"}, "ES256": {"crv", "x", "y"}, "RS256": {"n", "e"}}
RFC8037 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


@pytest.mark.ledger("RFC7638-3")
def test_jwk_thumbprint_matches_the_examples_of_rfc_7638_and_rfc_8037() -> None:
    assert thumbprint(RFC7638) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"  # RFC 7638 section 3.1
    assert thumbprint(RFC8037) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"  # RFC 8037 appendix A.3


@pytest.mark.ledger("RFC7638-3", "ASVS-11.6.1")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_kid_of_a_generated_key_is_its_public_jwk_thumbprint(algorithm: str) -> None:
    key = generate(algorithm)
    assert key.kid == thumbprint(public_jwk(key))
    assert len(key.kid) == 43
    assert generate(algorithm).kid != key.kid


@pytest.mark.ledger("RFC7517-4", "RFC7517-9")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_public_jwk_has_no_private_members_and_verifies_a_token(algorithm: str) -> None:
    key = generate(algorithm)
    published = public_jwk(key)
    assert set(published) == {"kty", "use", "alg", "kid"} | PUBLIC[algorithm]
    assert (published["alg"], published["use"], published["kid"]) == (algorithm, "sig", key.kid)
    token = jwt.encode({"a": 1}, key.signing_key, algorithm)
    assert jwt.decode(token, jwt.PyJWK(json.loads(json.dumps(published))), [algorithm]) == {"a": 1}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_key_from_jwk_restores_a_serialized_key(algorithm: str) -> None:
    key = generate(algorithm)
    back = key_from_jwk(public_jwk(key), to_pkcs8(key))
    assert back == key
    assert jwt.decode(jwt.encode({"a": 1}, back.signing_key, algorithm), key.verification_key, [algorithm]) == {"a": 1}
    assert key_from_jwk(public_jwk(key), None).signing_key is None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_repr_of_a_signing_key_shows_no_key_material(algorithm: str) -> None:
    key = generate(algorithm)
    assert repr(key) == f"Key(kid={key.kid!r}, algorithm={algorithm!r})"


@pytest.mark.ledger("REG-PYJWT-12", "RFC8725-3.2")
@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"alg": "none", "kid": "x", "kty": "OKP", "crv": "Ed25519"},
        {"alg": "HS256", "kid": "x", "kty": "oct", "k": "c2VjcmV0"},
        {"alg": "EdDSA", "kid": "x", "kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"alg": "EdDSA", "kid": "x", "kty": "OKP", "crv": "Ed25519"},
        {"alg": "ES256", "kid": "x", "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"alg": "RS256", "kid": "x", "kty": "EC"},
        {"alg": "RS256", "kty": "RSA", "n": "AQAB", "e": "AQAB"},
    ],
)
def test_key_from_jwk_refuses_unsupported_or_invalid_keys(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^(unsupported algorithm|invalid key)$"):
        key_from_jwk(broken, None)


def test_key_from_jwk_refuses_invalid_private_key_bytes() -> None:
    with pytest.raises(ValueError, match=r"."):
        key_from_jwk(public_jwk(generate("EdDSA")), b"junk")
