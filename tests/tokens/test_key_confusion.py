"""Key and algorithm confusion of access tokens, for every algorithm that the service signs with."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from latchkey.core import clock
from latchkey.signing_keys import key_set
from latchkey.signing_keys.models import SigningKey
from latchkey.signing_keys.rotation import retire, rotate
from latchkey.signing_keys.startup import prepare_keys
from latchkey.tokens.access_token import access_token_keys, issue
from latchkey.tokens.jwk import ALGORITHMS
from tests.people import Person
from tests.problems import assert_problem
from tests.support.forged_tokens import OMITTED, encode_segment, header_and_claims, sign

KIDS: list[Any] = ["../../dev/null", "' OR 1=1 --", "x" * 2000, "\x00", "", 1, None, True, ["x"], {"x": 1}, "\ud800"]
ATTACKER_KEYS: dict[str, Callable[[], Any]] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
}


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.slow if name == "RS256" else ()) for name in ALGORITHMS])
def algorithm(request: pytest.FixtureRequest, http: httpx.Client, settings: Any) -> Iterator[str]:
    settings.SIGNING_ALGORITHM = request.param
    prepare_keys()
    yield request.param
    key_set.clear_cache()


@pytest.fixture
def victim(algorithm: str, http: httpx.Client) -> Person:
    """A user whose access token was signed with a key pair."""
    alice = Person(http, "alice@example.com").register().login()
    header, _ = header_and_claims(alice)
    assert header == {"alg": algorithm, "kid": SigningKey.objects.get().kid, "typ": "at+jwt"}
    assert alice.me().status_code == 200
    return alice


def resign(person: Person, key: Any, algorithm: str, **members: Any) -> str:
    """Return the user's token with another signature and changed header members."""
    header, claims = header_and_claims(person)
    changed = {name: value for name, value in (header | members).items() if value is not OMITTED}
    if not isinstance(key, bytes):
        return jwt.encode(claims, key, algorithm, changed | {"alg": algorithm})
    return sign(changed | {"alg": algorithm}, claims, key)


def public_forms(key: SigningKey) -> dict[str, bytes]:
    """Return the public key in the forms that libraries accepted as an HMAC secret (algorithm confusion)."""
    public, jwk = jwt.PyJWK.from_json(key.public).key, key.public.encode()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    forms = {"pem": pem, "pem, stripped": pem.strip(), "pem, CRLF": pem.replace(b"\n", b"\r\n"), "der": der}
    return forms | {"jwk": jwk, "jwks": b'{"keys": [' + jwk + b"]}", "bom and jwk": b"\xef\xbb\xbf" + jwk}


@pytest.mark.ledger("H-JWT-03", "REG-PYJWT-01", "REG-PYJWT-04", "REG-JOSELIBS-01", "RFC8725-3.1")
def test_access_token_signed_with_the_public_key_as_hmac_secret_is_refused(victim: Person, http: httpx.Client) -> None:
    forms = public_forms(SigningKey.objects.get()) | {"as served": http.get("/.well-known/jwks.json").content}
    for key in forms.values():
        for kid in ({}, {"kid": OMITTED}):
            assert_problem(victim.me(resign(victim, key, "HS256", **kid)), 401, "invalid_token")
    assert victim.me().status_code == 200


def test_access_token_of_a_key_pair_is_refused_if_it_is_valid_for_longer_than_any_setting_allows(
    victim: Person,
) -> None:
    now = clock.now()
    session, key = int(header_and_claims(victim)[1]["sid"]), key_set.signing_key(now)
    for lifetime, status in ((timedelta(hours=1), 200), (timedelta(hours=1, seconds=1), 401), (timedelta(365), 401)):
        assert victim.me(issue(victim.id, session, now, lifetime, key)).status_code == status


@pytest.mark.ledger("ASVS-9.1.2", "RFC8725-3.1", "H-JWT-01")
def test_signing_key_verifies_only_its_own_algorithm(victim: Person, algorithm: str) -> None:
    for other in ("none", "None", "HS256", "HS512", "PS256", "RS384", "ES384", "ES256K", *ALGORITHMS, 1, None):
        header, claims = header_and_claims(victim)
        signature = victim.access_token.rpartition(".")[2]
        forged = f"{encode_segment(header | {'alg': other})}.{encode_segment(claims)}.{signature}"
        if other != algorithm:
            assert_problem(victim.me(forged), 401, "invalid_token")
    assert_problem(victim.me(jwt.encode(header_and_claims(victim)[1], "", "none")), 401, "invalid_token")


@pytest.mark.ledger("ASVS-9.1.3", "RFC8725-3.5")
def test_access_token_signed_with_an_attackers_key_is_refused_under_any_kid(victim: Person) -> None:
    kid = SigningKey.objects.get().kid
    for name, make in ATTACKER_KEYS.items():
        own = make()
        jwk = jwt.algorithms.get_default_algorithms()[name].to_jwk(own.public_key(), as_dict=True)
        for members in (
            {},
            {"kid": OMITTED},
            {"kid": "mallory"},
            {"kid": OMITTED, "jwk": jwk},
            {"jwk": jwk | {"kid": kid}},
        ):
            assert_problem(victim.me(resign(victim, own, name, **members)), 401, "invalid_token")


@pytest.mark.ledger("RFC8725-3.10", "H-JWT-04", "RFC7517-4.5")
@pytest.mark.parametrize("kid", KIDS, ids=lambda kid: repr(kid)[:20])
def test_access_token_with_an_unknown_kid_is_refused(victim: Person, kid: Any) -> None:
    for key in (access_token_keys()[0], b"x" * 32):
        assert_problem(victim.me(resign(victim, key, "HS256", kid=kid)), 401, "invalid_token")
    changed = SigningKey.objects.get().kid
    for near in (changed.swapcase(), changed[:-1], f"{changed} ", f"{changed}\x00"):
        assert_problem(victim.me(resign(victim, access_token_keys()[0], "HS256", kid=near)), 401, "invalid_token")


def test_hs256_access_token_is_refused_with_a_kid_and_accepted_without(victim: Person) -> None:
    header = {"kid": SigningKey.objects.get().kid}
    assert_problem(victim.me(resign(victim, access_token_keys()[0], "HS256", **header)), 401, "invalid_token")
    assert (
        victim.me(resign(victim, access_token_keys()[0], "HS256", kid=OMITTED)).status_code == 200
    )  # HS256 verifies on


@pytest.mark.ledger("RFC7517-4.5")
def test_access_token_is_refused_under_the_kid_of_another_signing_key(victim: Person, algorithm: str) -> None:
    first = SigningKey.objects.get().kid
    rotate(algorithm, clock.now() - timedelta(minutes=1), immediately=True)
    key_set.clear_cache()
    victim.login()
    head, claims, signature = victim.access_token.split(".")
    swapped = {"alg": algorithm, "kid": first, "typ": "at+jwt"}
    assert jwt.get_unverified_header(victim.access_token)["kid"] != first
    assert_problem(victim.me(f"{encode_segment(swapped)}.{claims}.{signature}"), 401, "invalid_token")
    assert victim.me(f"{head}.{claims}.{signature}").status_code == 200


@pytest.mark.ledger("H-INF-13")
def test_retired_signing_key_is_refused_even_for_tokens_accepted_before(victim: Person, algorithm: str) -> None:
    kid = SigningKey.objects.get().kid
    rotate(algorithm, clock.now() - timedelta(minutes=1), immediately=True)
    key_set.clear_cache()
    assert victim.me().status_code == 200
    retire(kid, clock.now(), needed=True)
    key_set.clear_cache()
    assert_problem(victim.me(), 401, "invalid_token")
    assert victim.refresh().me().status_code == 200


@pytest.mark.ledger("REG-JAVAECDSA-01", "RFC8725-3.4")
@pytest.mark.parametrize("signature", [bytes(64), bytes(63) + b"\1", bytes(384), b"\xff" * 64, b""])
def test_key_pair_access_token_with_a_degenerate_signature_is_refused(victim: Person, signature: bytes) -> None:
    head = victim.access_token.rpartition(".")[0]
    assert_problem(victim.me(f"{head}.{encode_segment(signature)}"), 401, "invalid_token")


@pytest.mark.slow
@pytest.mark.ledger("REG-PYJWT-13", "REG-PYJWT-17", "RFC7517-4.5")
def test_access_tokens_with_unknown_kids_read_the_key_set_at_most_twice_a_second(
    victim: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    tokens = [resign(victim, b"x" * 32, "HS256", kid=f"mallory{number}") for number in range(1000)]
    began = clock.now()
    sent = statements(lambda: [victim.me(token) for token in tokens])
    seconds = (clock.now() - began).total_seconds() + 1
    assert all("signingkey" in sql for sql in sent)
    assert len(sent) <= 2 * seconds  # the key set once a second, and once more for unknown kids


def test_corrupt_signing_key_row_does_not_affect_other_keys(victim: Person) -> None:
    row = SigningKey.objects.get()
    row.pk, row.kid, row.public, row.private = 9, "broken", json.dumps({"kty": "?"}), b"?"
    row.signs_from -= timedelta(days=1)
    row.save(force_insert=True)
    key_set.clear_cache()
    assert victim.me().status_code == 200
    assert victim.refresh().me().status_code == 200
