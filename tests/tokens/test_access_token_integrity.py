"""Integrity of access tokens: foreign keys, changed bits, validity times and length."""

import json
import socket
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import override_settings

from latchkey.accounts.models import User
from latchkey.tokens.access_token import issue
from tests.people import Person
from tests.problems import assert_problem
from tests.support.captured_log import CapturedLog
from tests.support.forged_tokens import encode_segment, forge

OWN = b"a key of mallory that is 32 byte"
ALGORITHM_CONFUSIONS = [
    "pem",
    "pem, one line",
    "pem, CR",
    "pem, indented",
    "pkcs1",
    "der",
    "jwk",
    "jwks",
    "bom and jwk",
]


def public_key(form: str) -> bytes:
    """Return a public key in one of the forms that libraries accepted as an HMAC secret."""
    key = rsa.generate_private_key(65537, 2048).public_key()
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    whole = key.public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(key).encode()
    return {
        "pem": whole,
        "pem, one line": whole.replace(b"\n", b""),
        "pem, CR": whole.replace(b"\n", b"\r"),
        "pem, indented": whole.replace(b"\n", b"\n  "),
        "pkcs1": key.public_bytes(pem, serialization.PublicFormat.PKCS1),
        "der": key.public_bytes(der, serialization.PublicFormat.SubjectPublicKeyInfo),
        "jwk": jwk,
        "jwks": b'{"keys": [' + jwk + b"]}",
        "bom and jwk": b"\xef\xbb\xbf" + jwk,
    }[form]


@pytest.fixture
def canary() -> Iterator[tuple[str, Callable[[], bool]]]:
    """A local URL, and a function that returns whether it was requested."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)

        def called() -> bool:
            try:
                listener.accept()[0].close()
            except BlockingIOError:
                return False
            return True

        yield f"http://127.0.0.1:{listener.getsockname()[1]}/keys.json", called


@pytest.mark.ledger("REG-PYJWT-01", "REG-PYJWT-02", "REG-PYJWT-03", "REG-PYJWT-04", "REG-PYJWT-24", "REG-PYJWT-19")
@pytest.mark.parametrize("form", ALGORITHM_CONFUSIONS)
def test_access_token_signed_with_a_public_key_or_the_raw_secret_key_is_refused(alice: Person, form: str) -> None:
    known = public_key(form)
    with override_settings(SECRET_KEY=known.decode("latin-1")):
        alice.login()
        assert alice.me(forge(alice)).status_code == 200
        for key in (known, known.strip(), known.decode("latin-1").encode()):
            assert_problem(alice.me(forge(alice, key=key)), 401, "invalid_token")


@pytest.mark.ledger("ASVS-9.1.3", "REG-NODEJOSE-01", "ASVS-1.3.6", "RFC8725-3.10")
def test_access_token_cannot_bring_its_own_key_or_cause_a_request_for_one(
    alice: Person, canary: tuple[str, Callable[[], bool]]
) -> None:
    url, called = canary
    jwk = {"kty": "oct", "k": encode_segment(OWN), "alg": "HS256"}
    headers: list[dict[str, Any]] = [
        {"jwk": jwk},
        {"jku": url},
        {"x5u": url},
        {"x5c": [encode_segment(OWN)]},
        {"kid": url},
    ]
    headers += [{"kid": kid} for kid in ("../../dev/null", "' OR 1=1 --", "x" * 2000, "/etc/hostname", "")]
    for header in headers:
        assert_problem(alice.me(forge(alice, header, key=OWN)), 401, "invalid_token")
        assert_problem(alice.me(forge(alice, header, key=b"\x00")), 401, "invalid_token")
    assert_problem(alice.me(forge(alice, iss=url)), 401, "invalid_token")
    assert_problem(alice.me(forge(alice, {"kid": "x" * 10_000})), 401, "invalid_token")
    assert not called()
    assert alice.me(forge(alice)).status_code == 200


@pytest.mark.ledger("ASVS-9.1.1", "ASVS-7.2.1", "CS-SESS-5")
@pytest.mark.parametrize("part", [0, 1, 2])
def test_access_token_with_one_changed_bit_is_refused_and_logged_without_a_user(
    alice: Person, bob: Person, captured_log: CapturedLog, part: int
) -> None:
    parts = alice.access_token.split(".")
    raw = urlsafe_b64decode(parts[part] + "==")
    for at in range(len(raw)):
        changed = bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]])
        token = ".".join([*parts[:part], encode_segment(changed), *parts[part + 1 :]])
        assert_problem(alice.me(token), 401, "invalid_token")
    claims = json.loads(urlsafe_b64decode(parts[1] + "=="))
    for change in ({"exp": claims["exp"] + 3600}, {"user_id": bob.id, "sub": str(bob.id)}):
        assert_problem(alice.me(f"{parts[0]}.{encode_segment(claims | change)}.{parts[2]}"), 401, "invalid_token")
    assert not [line for line in captured_log.lines() if "user_id" in line or "session_id" in line]
    assert alice.me().status_code == 200


@pytest.mark.ledger("ASVS-9.2.1")
def test_access_token_is_valid_only_between_its_times(clock: time_machine.Traveller, alice: Person) -> None:
    now = int(datetime.now(UTC).timestamp())
    for outside in (
        forge(alice, exp=now - 1),
        forge(alice, exp=now),
        forge(alice, nbf=now + 60),
        forge(alice, iat=now + 60),
        forge(alice, nbf=now + 31),
    ):
        assert_problem(alice.me(outside), 401, "invalid_token")
    for inside in (forge(alice, exp=now + 1), forge(alice, nbf=now), forge(alice, nbf=now + 30)):
        assert alice.me(inside).status_code == 200


@pytest.mark.ledger("ASVS-4.2.5")
def test_longest_access_token_fits_into_a_header(alice: Person) -> None:
    longest = "a" * 64 + "@" + ".".join(["b" * 61] * 3) + ".com"
    User.objects.filter(pk=alice.id).update(email=longest, username="🔑" * 150)
    alice.email = longest
    assert len(alice.login().access_token) < 1024
    assert alice.me().json()["username"] == "🔑" * 150
    with override_settings(PUBLIC_URL=f"https://{'x' * 250}.example"):
        assert len(issue(2**63 - 1, 2**63 - 1, datetime.now(UTC), timedelta(hours=1))) < 4096
