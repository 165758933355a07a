"""The signing algorithm of access tokens is fixed by the server, and so is the derivation of its key."""

import hmac
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.conf import settings
from jwt.algorithms import get_default_algorithms

from latchkey.checks import weakness_of
from latchkey.tokens.access_token import ALGORITHM, access_token_keys
from latchkey.tokens.jwk import ALGORITHMS
from tests.people import Person
from tests.problems import assert_problem
from tests.server import Server
from tests.support.forged_tokens import encode_segment
from tests.support.package_ast import environment_variables

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
OTHERS = sorted({*get_default_algorithms(), "none", "RSA1_5"} - {ALGORITHM})
CURVES: dict[str, type[ec.EllipticCurve]] = {"ES256": ec.SECP256R1, "ES256K": ec.SECP256K1, "ES384": ec.SECP384R1}
CURVES |= {"ES512": ec.SECP521R1, "ES521": ec.SECP521R1}


def key_for(algorithm: str) -> Any:
    """Return a key that can sign with this algorithm, the service's own where possible."""
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm]())
    if algorithm.startswith(("RS", "PS")):
        return rsa.generate_private_key(65537, 2048)
    if algorithm in ("EdDSA", "Ed25519"):
        return ed25519.Ed25519PrivateKey.generate()
    return None if algorithm == "none" else access_token_keys()[0] * 2


def signed(person: Person, algorithm: str) -> str:
    claims = jwt.decode(person.access_token, options={"verify_signature": False})
    if algorithm in get_default_algorithms():
        return jwt.encode(claims, key_for(algorithm), algorithm, {"typ": "at+jwt"})
    return f"{encode_segment({'alg': algorithm, 'typ': 'at+jwt'})}.{encode_segment(claims)}.{encode_segment(b'x' * 32)}"


@pytest.mark.ledger("RFC8725-3.2")
@pytest.mark.parametrize("algorithm", OTHERS)
def test_access_token_signed_with_another_algorithm_is_refused(alice: Person, algorithm: str) -> None:
    assert jwt.get_unverified_header(alice.access_token)["alg"] == "HS256"
    assert alice.me().status_code == 200
    assert_problem(alice.me(signed(alice, algorithm)), 401, "invalid_token")


@pytest.mark.ledger("RFC8725-3.4")
@pytest.mark.parametrize(
    "signature", [bytes(64), bytes(32), bytes(64)[:-1] + b"\1", bytes(96), bytes(132), b"\xff" * 64]
)
@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512", "Ed25519", "HS256"])
def test_access_token_with_a_degenerate_signature_is_refused(alice: Person, algorithm: str, signature: bytes) -> None:
    _, claims, _ = alice.access_token.split(".")
    assert alice.me().status_code == 200
    forged = f"{encode_segment({'alg': algorithm, 'typ': 'at+jwt'})}.{claims}.{encode_segment(signature)}"
    assert_problem(alice.me(forged), 401, "invalid_token")


@pytest.mark.ledger("RFC8725-3.2")
def test_latchkey_signing_algorithm_is_the_only_setting_for_the_algorithm() -> None:
    names = {*environment_variables(), *settings.CONSTANCE_CONFIG}
    assert [name for name in names if re.search("ALG|JWT|SIGN", name)] == ["LATCHKEY_SIGNING_ALGORITHM"]


@pytest.mark.ledger("RFC8725-3.2")
def test_latchkey_signing_algorithm_accepts_hs256_and_the_algorithms_of_key_pairs_only(tmp_path: Path) -> None:
    done = Server(tmp_path, LATCHKEY_SIGNING_ALGORITHM="none").command("migrate")
    assert done.returncode == 2
    _, _, allowed = done.stderr.partition("it must be ")
    assert re.findall(r"'(\w+)'", allowed) == [ALGORITHM, *ALGORITHMS]


@pytest.mark.ledger("ASVS-11.6.1")
def test_documented_command_generates_secret_keys_that_production_accepts() -> None:
    (script,) = re.findall(r"# (python3 -c .*)$", PAGE.read_text(), re.MULTILINE)
    _, *arguments = shlex.split(script)
    made = {
        subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(3)
    }
    assert len(made) == 3
    assert {weakness_of(secret) for secret in made} == {""}
    assert all(len(secret) * 6 >= 512 for secret in made)  # bits: six in each character
    assert weakness_of("short")


@pytest.mark.ledger("ASVS-11.6.1")
def test_access_token_keys_are_derived_with_hkdf_to_the_length_of_the_hash() -> None:
    """RFC 5869, computed by hand: extract with a salt of zeros, then one block of expand."""
    extracted = hmac.digest(bytes(32), settings.SECRET_KEY.encode(), "sha256")
    expanded = hmac.digest(extracted, b"latchkey access token" + b"\x01", "sha256")
    assert access_token_keys()[0] == expanded
    assert {len(key) for key in access_token_keys()} == {32}
