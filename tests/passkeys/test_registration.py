"""Registration of a passkey: what is requested, what is stored, and every lie of an authenticator is refused."""

import secrets
from typing import Any

import pytest
from cbor2 import dumps
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from latchkey.core.exceptions import InvalidInput, InvalidPasskey
from latchkey.passkeys.models import MAX_PASSKEYS, Passkey
from latchkey.passkeys.registration import verify_registration
from latchkey.passkeys.serializers import NewPasskeyInput
from tests.passkeys.ceremonies import Account
from tests.support.software_authenticator import (
    AAGUID,
    BACKED_UP,
    BACKUP_ELIGIBLE,
    EXTENSIONS,
    USER_PRESENT,
    USER_VERIFIED,
    SoftwareAuthenticator,
    cose_key,
    decode,
    encode,
)

KEY = cose_key(generate_private_key(SECP256R1()))


def test_creation_options_ask_for_a_resident_key_of_this_account_without_attestation(account: Account) -> None:
    challenge = secrets.token_bytes(32)
    options = account.creation_options(challenge)
    assert options["rp"] == {"id": "localhost", "name": "Latchkey"}
    assert options["user"] == {
        "id": encode(account.handle),
        "name": "alice@example.com",
        "displayName": "alice@example.com",
    }
    assert (decode(options["challenge"]), options["timeout"]) == (challenge, 300_000)
    assert [parameter["alg"] for parameter in options["pubKeyCredParams"]] == [-7, -8, -257]
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["attestation"] == "none"
    assert options["excludeCredentials"] == []


def test_mera_273_creation_options_exclude_the_passkeys_that_the_account_has(
    account: Account, phone: SoftwareAuthenticator
) -> None:
    stored = account.add(phone)
    options = account.creation_options(secrets.token_bytes(32))
    assert options["excludeCredentials"] == [
        {"type": "public-key", "id": encode(bytes(stored.credential_id)), "transports": ["hybrid", "internal"]}
    ]


def test_creation_options_leave_out_passkeys_of_an_earlier_rp_id(
    account: Account, phone: SoftwareAuthenticator, settings: Any
) -> None:
    account.add(phone)
    settings.PASSKEY_RP_ID = "example.com"
    options = account.creation_options(secrets.token_bytes(32))
    assert (options["rp"]["id"], options["excludeCredentials"]) == ("example.com", [])


def test_registration_stores_what_the_authenticator_said(account: Account, phone: SoftwareAuthenticator) -> None:
    stored = Passkey.objects.get(pk=account.add(phone, "Phone").pk)
    assert bytes(stored.credential_id) == phone.passkeys[0].credential_id
    assert bytes(stored.public_key) == dumps(cose_key(phone.passkeys[0].key))
    assert (stored.rp_id, stored.sign_count, stored.transports, stored.name) == (
        "localhost",
        0,
        "hybrid internal",
        "Phone",
    )
    assert stored.aaguid.bytes == AAGUID
    assert (stored.backup_eligible, stored.backed_up, stored.user_verified) == (True, True, True)
    assert stored.last_used_at is None


def test_registration_of_a_security_key_without_a_pin_is_accepted_as_not_user_verified(account: Account) -> None:
    stored = account.add(SoftwareAuthenticator(flags=USER_PRESENT, counter_step=1))
    assert (stored.user_verified, stored.backup_eligible, stored.backed_up, stored.sign_count) == (
        False,
        False,
        False,
        1,
    )


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("packed", {"alg": -7, "sig": b"forged"}),
        ("fido-u2f", {"sig": b"forged", "x5c": [b"no certificate"]}),
        ("android-safetynet", {"ver": "1", "response": b"\xff"}),
        ("made-up", {"x": 1}),
    ],
)
def test_registration_disregards_an_attestation_that_nobody_asked_for(
    account: Account, phone: SoftwareAuthenticator, kind: str, statement: dict[str, Any]
) -> None:
    assert account.add(phone, format=kind, statement=statement).pk


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "the origin of another site": ({"origin": "https://evil.example"}, "wrong origin"),
    "the origin as a list": ({"origin": ["http://localhost:8000"]}, "wrong origin"),
    "an origin with a slash": ({"origin": "http://localhost:8000/"}, "wrong origin"),
    "the challenge of another ceremony": ({"challenge": encode(secrets.token_bytes(32))}, "wrong challenge"),
    "an empty challenge": ({"challenge": ""}, "wrong challenge"),
    "no text as challenge": ({"challenge": None}, "malformed"),
    "the type of an assertion": ({"type": "webauthn.get"}, "wrong ceremony"),
    "a frame of another site": ({"cross_origin": True}, "in a frame"),
    "a frame, said in words": ({"cross_origin": "true"}, "in a frame"),
    "the RP ID of another site": ({"rp_id": "evil.example"}, "malformed"),
    "an absent user": ({"flags": USER_VERIFIED}, "malformed"),
    "a backup of a passkey that cannot be backed up": ({"flags": USER_PRESENT | BACKED_UP}, "malformed"),
    "extensions that are missing": ({"flags": USER_PRESENT | EXTENSIONS}, "malformed"),
    "bytes after the end": ({"tail": b"x"}, "malformed"),
    "a key of no known type": ({"public_key": dumps({1: 99, 3: -7})}, "malformed"),
    "a key of another algorithm": ({"public_key": dumps({**KEY, 3: -36})}, "malformed"),
    "a point that is not on the curve": ({"public_key": dumps({**KEY, -2: b"\x01" * 32})}, "malformed"),
    "an empty key": ({"public_key": dumps({})}, "malformed"),
    "a list as key": ({"public_key": dumps([1, 2, 3])}, "malformed"),
    "a number as key": ({"public_key": dumps(4)}, "malformed"),
    "an RSA key that is too long": (
        {"public_key": dumps({1: 3, 3: -257, -1: b"\xff" * 2_000, -2: b"\1\0\1"})},
        "malformed",
    ),
    "client data that is no JSON": ({"client_data": b"{"}, "malformed"),
    "client data that is no object": ({"client_data": b"[]"}, "malformed"),
    "client data that is not UTF-8": ({"client_data": b"\xff\xfe"}, "malformed"),
    "client data that is deep": ({"client_data": b"[" * 4_000}, "malformed"),
    "an attestation object that is no CBOR": ({"attestation_object": b"\xff"}, "malformed"),
    "an attestation object that is no map": ({"attestation_object": dumps([1])}, "malformed"),
    "an attestation object without data": ({"attestation_object": dumps({"fmt": "none", "attStmt": {}})}, "malformed"),
    "data that is a number": (
        {"attestation_object": dumps({"fmt": "none", "attStmt": {}, "authData": 10**9})},
        "malformed",
    ),
    "data that is a huge number": (
        {"attestation_object": dumps({"fmt": "none", "attStmt": {}, "authData": 10**18})},
        "malformed",
    ),
    "an attestation object that is deep": ({"attestation_object": b"\x81" * 12_000 + b"\x00"}, "malformed"),
    "an array that claims to be endless": ({"attestation_object": b"\x9b" + b"\xff" * 8}, "malformed"),
}


@pytest.mark.parametrize(("lie", "reason"), LIES.values(), ids=LIES)
def test_registration_refuses(account: Account, phone: SoftwareAuthenticator, lie: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidPasskey) as refused:
        account.verify_new(phone, **lie)
    assert refused.value.reason == reason


def test_registration_refuses_an_answer_under_another_credential_id(
    account: Account, phone: SoftwareAuthenticator
) -> None:
    challenge = secrets.token_bytes(32)
    answer = phone.create(account.creation_options(challenge))
    given = NewPasskeyInput(data={**answer, "id": encode(b"x" * 32)})
    given.is_valid(raise_exception=True)
    with pytest.raises(InvalidPasskey) as refused:
        verify_registration(given.validated_data, challenge)
    assert refused.value.reason == "malformed"


def test_registration_accepts_each_origin_of_the_list(account: Account, settings: Any) -> None:
    settings.PASSKEY_ORIGINS = ["http://localhost:8000", f"android:apk-key-hash:{'A' * 43}"]
    for origin in settings.PASSKEY_ORIGINS:
        assert account.add(SoftwareAuthenticator(origin=origin)).pk


def test_registration_refuses_a_credential_that_another_account_has(
    account: Account, phone: SoftwareAuthenticator
) -> None:
    stored, mallory = account.add(phone), Account("mallory@example.com")
    with pytest.raises(InvalidPasskey) as refused:
        mallory.add(SoftwareAuthenticator(), credential_id=bytes(stored.credential_id))
    assert refused.value.reason == "registered already"
    assert Passkey.objects.get().user == account.user


def test_registration_refuses_a_passkey_over_the_greatest_number(account: Account) -> None:
    for _ in range(MAX_PASSKEYS):
        account.add(SoftwareAuthenticator())
    with pytest.raises(InvalidInput):
        account.add(SoftwareAuthenticator())
    assert Passkey.objects.filter(user=account.user).count() == MAX_PASSKEYS


def test_registration_keeps_unknown_transports_and_drops_what_is_none(
    account: Account, phone: SoftwareAuthenticator
) -> None:
    stored = account.add(phone, transports=["usb", "telepathy", "not a transport", "usb", "ÜSB", "x" * 30])
    assert stored.transports == "telepathy usb"


def test_registration_accepts_a_passkey_that_is_backed_up_later(account: Account) -> None:
    stored = account.add(SoftwareAuthenticator(flags=USER_PRESENT | USER_VERIFIED | BACKUP_ELIGIBLE))
    assert (stored.backup_eligible, stored.backed_up) == (True, False)
