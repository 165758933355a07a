"""Any bytes in the place of an authenticator's answer: one refusal, never an error of the library (fuzzing)."""

from hashlib import sha256

import pytest
from cbor2 import dumps
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.exceptions import InvalidPasskey
from latchkey.passkeys.assertion import verify_assertion
from latchkey.passkeys.models import Passkey
from latchkey.passkeys.registration import verify_registration
from latchkey.passkeys.responses import AssertionResponse, RegistrationResponse
from tests.fuzz.strategies import DERANDOMIZED
from tests.support.software_authenticator import encode

CHALLENGE = b"c" * 32
CBOR = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=200),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=4),
    max_leaves=10,
)
KEYS = st.dictionaries(st.sampled_from([1, 3, -1, -2, -3]), CBOR)


def client_data(ceremony: str) -> bytes:
    challenge = encode(CHALLENGE)
    return f'{{"type":"{ceremony}","challenge":"{challenge}","origin":"http://localhost:8000"}}'.encode()


def authenticator_data(flags: int, rest: bytes) -> bytes:
    return sha256(b"localhost").digest() + bytes([flags]) + b"\0\0\0\0" + rest


@DERANDOMIZED
@given(data=st.binary(max_size=300) | CBOR.map(dumps) | st.fixed_dictionaries({"authData": CBOR}).map(dumps))
def test_registration_with_any_attestation_object_is_refused(data: bytes) -> None:
    response = RegistrationResponse(b"x" * 16, client_data("webauthn.create"), data)
    with pytest.raises(InvalidPasskey):
        verify_registration(response, CHALLENGE)


@DERANDOMIZED
@given(key=st.binary(max_size=120) | KEYS.map(dumps), flags=st.integers(0, 255).map(lambda bits: bits | 0x41))
def test_registration_with_any_public_key_is_refused(key: bytes, flags: int) -> None:
    attested = b"\0" * 16 + b"\0\x10" + b"x" * 16 + key
    data = dumps({"fmt": "none", "attStmt": {}, "authData": authenticator_data(flags, attested)})
    with pytest.raises(InvalidPasskey):
        verify_registration(RegistrationResponse(b"x" * 16, client_data("webauthn.create"), data), CHALLENGE)


@DERANDOMIZED
@given(flags=st.integers(0, 255), rest=st.binary(max_size=80), signature=st.binary(max_size=80))
def test_assertion_with_any_authenticator_data_and_signature_is_refused(
    flags: int, rest: bytes, signature: bytes
) -> None:
    passkey = Passkey(
        credential_id=b"x", public_key=dumps({1: 2, 3: -7, -1: 1, -2: b"\1" * 32, -3: b"\1" * 32}), rp_id="localhost"
    )
    response = AssertionResponse(b"x", client_data("webauthn.get"), authenticator_data(flags, rest), signature)
    with pytest.raises(InvalidPasskey):
        verify_assertion(passkey, response, CHALLENGE, require_user_verification=False)


@DERANDOMIZED
@given(data=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_client_data_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidPasskey):
        verify_registration(RegistrationResponse(b"x" * 16, data, b""), CHALLENGE)


def test_challenge_that_is_used_up_matches_no_answer_not_even_an_empty_one() -> None:
    data = client_data("webauthn.create").replace(encode(CHALLENGE).encode(), b"")
    with pytest.raises(InvalidPasskey) as refused:
        verify_registration(RegistrationResponse(b"x", data, b""), b"")
    assert refused.value.reason == "wrong challenge"
