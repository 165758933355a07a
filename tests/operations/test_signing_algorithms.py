"""Which algorithm signs access tokens is fixed, and so is how its key is made."""

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
from tests.support.forged_tokens import encode_segment
from tests.support.package_ast import PACKAGE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
OTHERS = sorted({*get_default_algorithms(), "none", "RSA1_5"} - {ALGORITHM})
CURVES = {"ES256": ec.SECP256R1, "ES256K": ec.SECP256K1, "ES384": ec.SECP384R1}
CURVES |= {"ES512": ec.SECP521R1, "ES521": ec.SECP521R1}


def key_for(algorithm: str) -> Any:
    """Return a key that really signs with this algorithm; where it can be, it is the service's own."""
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
def test_no_other_algorithm_is_accepted(alice: Person, algorithm: str) -> None:
    assert jwt.get_unverified_header(alice.access_token)["alg"] == "HS256"
    assert alice.me().status_code == 200
    assert_problem(alice.me(signed(alice, algorithm)), 401, "invalid_token")


@pytest.mark.ledger("RFC8725-3.4")
@pytest.mark.parametrize(
    "signature", [bytes(64), bytes(32), bytes(64)[:-1] + b"\1", bytes(96), bytes(132), b"\xff" * 64]
)
@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512", "Ed25519", "HS256"])
def test_a_signature_of_zeros_is_refused(alice: Person, algorithm: str, signature: bytes) -> None:
    _, claims, _ = alice.access_token.split(".")
    assert alice.me().status_code == 200
    forged = f"{encode_segment({'alg': algorithm, 'typ': 'at+jwt'})}.{claims}.{encode_segment(signature)}"
    assert_problem(alice.me(forged), 401, "invalid_token")


@pytest.mark.ledger("RFC8725-3.2")
def test_one_setting_chooses_the_algorithm_out_of_those_that_there_are() -> None:
    read = set(re.findall(r'env\.\w+\("(\w+)"', (PACKAGE / "settings.py").read_text()))
    choosing = [name for name in {*read, *settings.CONSTANCE_CONFIG} if re.search("ALG|JWT|SIGN", name)]
    assert choosing == ["LATCHKEY_SIGNING_ALGORITHM"]
    (line,) = re.findall(r"^SIGNING_ALGORITHM = .*$", (PACKAGE / "settings.py").read_text(), re.MULTILINE)
    assert re.findall(r'"(\w+)"', line)[1:] == [ALGORITHM, *ALGORITHMS]


@pytest.mark.ledger("ASVS-11.6.1")
def test_the_documented_command_makes_a_key_that_production_accepts() -> None:
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
def test_the_signing_key_is_derived_by_the_cryptography_library_to_the_length_of_its_hash() -> None:
    assert "cryptography.hazmat.primitives.kdf.hkdf" in (PACKAGE / "core" / "secrets.py").read_text()
    assert {len(key) for key in access_token_keys()} == {32}
