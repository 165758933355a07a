"""Assertion by a passkey: every lie of an authenticator is refused, with its reason for the audit log."""

import secrets
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from latchkey.accounts.models import User
from latchkey.core.exceptions import InvalidPasskey
from latchkey.passkeys.assertion import SUSPICIOUS, record_use
from latchkey.passkeys.models import Passkey
from latchkey.passkeys.options import request_options
from tests.passkeys.ceremonies import Account
from tests.support.software_authenticator import (
    BACKED_UP,
    BACKUP_ELIGIBLE,
    USER_PRESENT,
    USER_VERIFIED,
    SoftwareAuthenticator,
    encode,
)


@pytest.fixture
def security_key() -> SoftwareAuthenticator:
    """An authenticator that counts, whose passkeys do not leave it."""
    return SoftwareAuthenticator(flags=USER_PRESENT | USER_VERIFIED, counter_step=1)


def refusal(account: Account, authenticator: SoftwareAuthenticator, **lies: Any) -> str:
    """Return the reason for which an assertion is refused."""
    with pytest.raises(InvalidPasskey) as refused:
        account.verify(authenticator, **lies)
    return refused.value.reason


def test_request_options_name_no_passkey_and_require_user_verification_for_a_sign_in() -> None:
    options = request_options(challenge=b"x" * 32, timeout_seconds=300, require_user_verification=True)
    assert options == {
        "challenge": encode(b"x" * 32),
        "timeout": 300_000,
        "rpId": "localhost",
        "allowCredentials": [],
        "userVerification": "required",
    }


def test_request_options_name_the_passkeys_of_an_account(account: Account, phone: SoftwareAuthenticator) -> None:
    stored = account.add(phone)
    options = request_options(challenge=b"x", timeout_seconds=300, passkeys=[stored])
    assert [one["id"] for one in options["allowCredentials"]] == [encode(bytes(stored.credential_id))]
    assert options["userVerification"] == "preferred"


def test_assertion_by_a_passkey_of_the_account_is_accepted(account: Account, phone: SoftwareAuthenticator) -> None:
    account.add(phone)
    assert account.use(phone).user_verified
    assert Passkey.objects.get().last_used_at is not None


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "the origin of another site": ({"origin": "https://evil.example"}, "wrong origin"),
    "another port": ({"origin": "http://localhost:8001"}, "wrong origin"),
    "the type of a registration": ({"type": "webauthn.create"}, "wrong ceremony"),
    "a frame of another site": ({"cross_origin": True}, "in a frame"),
    "a signature by another key": ({"key": generate_private_key(SECP256R1())}, "not verified"),
    "no signature": ({"signature": b"\x00"}, "not verified"),
    "an absent user": ({"flags": USER_VERIFIED | BACKUP_ELIGIBLE}, "not verified"),
    "a backup of what cannot be backed up": ({"flags": USER_PRESENT | USER_VERIFIED | BACKED_UP}, "not verified"),
    "authenticator data that ends early": ({"authenticator_data": b"\x00" * 36}, "not verified"),
    "client data that is no object": ({"client_data": b"null"}, "malformed"),
    "an unverified user": ({"flags": USER_PRESENT | BACKUP_ELIGIBLE | BACKED_UP}, "user not verified"),
    "no user handle": ({"user_handle": None}, "no user handle"),
}


@pytest.mark.parametrize(("lie", "reason"), LIES.values(), ids=LIES)
def test_sign_in_with_a_passkey_refuses(
    account: Account, phone: SoftwareAuthenticator, lie: dict[str, Any], reason: str
) -> None:
    account.add(phone)
    assert refusal(account, phone, **lie) == reason


def test_bossconsole_35_challenge_of_the_client_is_compared_with_that_of_the_server(
    account: Account, phone: SoftwareAuthenticator
) -> None:
    account.add(phone)
    assert refusal(account, phone, challenge=encode(secrets.token_bytes(32))) == "wrong challenge"


def test_bossconsole_35_hash_of_the_rp_id_is_compared(account: Account, phone: SoftwareAuthenticator) -> None:
    account.add(phone)
    assert refusal(account, phone, rp_id="evil.example") == "not verified"


def test_bossconsole_35_origin_is_compared_and_not_its_beginning(
    account: Account, phone: SoftwareAuthenticator
) -> None:
    account.add(phone)
    for origin in ("http://localhost:8000.evil.example", "http://localhost:80000", "http://evil.localhost:8000"):
        assert refusal(account, phone, origin=origin) == "wrong origin"


def test_bossconsole_35_signature_is_verified_with_the_stored_key(
    account: Account, phone: SoftwareAuthenticator
) -> None:
    account.add(phone)
    phone.passkeys[0].key = generate_private_key(SECP256R1())
    assert refusal(account, phone) == "not verified"


def test_idenplane_695_sign_in_without_user_verification_is_refused_though_the_passkey_is_right(
    account: Account, phone: SoftwareAuthenticator
) -> None:
    account.add(phone)
    unverified = USER_PRESENT | BACKUP_ELIGIBLE | BACKED_UP
    assert refusal(account, phone, flags=unverified) == "user not verified"
    assert not account.verify(phone, require_user_verification=False, flags=unverified).user_verified


def test_passkey_with_the_user_handle_of_another_account_is_refused(
    account: Account, phone: SoftwareAuthenticator
) -> None:
    account.add(phone)
    mallory = Account("mallory@example.com")
    assert refusal(account, phone, user_handle=mallory.handle) == "wrong user handle"
    assert refusal(account, phone, user_handle=b"\x00") == "wrong user handle"
    assert refusal(account, phone, user_handle=mallory.handle, require_user_verification=False) == "wrong user handle"


def test_second_factor_needs_no_user_handle(account: Account, phone: SoftwareAuthenticator) -> None:
    account.add(phone)
    assert account.verify(phone, require_user_verification=False, user_handle=None).user_verified


def test_passkey_of_an_account_without_a_user_handle_cannot_name_one(
    account: Account, phone: SoftwareAuthenticator
) -> None:
    account.add(phone)
    User.objects.update(user_handle=None)
    assert refusal(account, phone) == "wrong user handle"


def test_pin_that_a_security_key_gets_later_does_not_replace_the_password(account: Account) -> None:
    key = SoftwareAuthenticator(flags=USER_PRESENT, counter_step=1)
    account.add(key)
    key.flags = USER_PRESENT | USER_VERIFIED  # a thief has set a PIN
    assert refusal(account, key) == "user not verified"
    verified = account.verify(key, require_user_verification=False)
    assert (verified.user_verified, verified.verified_now) == (False, True)


def test_pin_that_a_security_key_gets_later_counts_after_a_use_with_another_proof(account: Account) -> None:
    key = SoftwareAuthenticator(flags=USER_PRESENT, counter_step=1)
    stored = account.add(key)
    key.flags = USER_PRESENT | USER_VERIFIED
    verified = account.verify(key, require_user_verification=False)
    record_use(stored, verified, initializes_user_verification=True)
    assert account.verify(key).user_verified


def test_counter_that_rises_is_stored(account: Account, security_key: SoftwareAuthenticator) -> None:
    account.add(security_key)
    for expected in (2, 3):
        account.use(security_key)
        assert Passkey.objects.get().sign_count == expected


@pytest.mark.parametrize("counter", [0, 4, 5], ids=["back to 0", "below", "the same"])
def test_counter_that_goes_back_is_refused_as_suspicious(
    account: Account, security_key: SoftwareAuthenticator, counter: int
) -> None:
    account.add(security_key, counter=5)
    assert refusal(account, security_key, counter=counter) in SUSPICIOUS
    assert Passkey.objects.get().sign_count == 5


def test_counter_that_goes_back_raises_no_alarm_without_the_right_signature(
    account: Account, security_key: SoftwareAuthenticator
) -> None:
    account.add(security_key, counter=5)
    assert refusal(account, security_key, counter=1, key=generate_private_key(SECP256R1())) == "not verified"


def test_counter_that_stays_0_is_accepted_again_and_again(account: Account, phone: SoftwareAuthenticator) -> None:
    account.add(phone)
    for _ in range(3):
        account.use(phone)
    assert Passkey.objects.get().sign_count == 0


def test_counter_of_four_bytes_fits(account: Account, security_key: SoftwareAuthenticator) -> None:
    account.add(security_key)
    account.use(security_key, counter=2**32 - 1)
    assert Passkey.objects.get().sign_count == 2**32 - 1


def test_two_uses_with_the_same_counter_are_one(account: Account, security_key: SoftwareAuthenticator) -> None:
    stored = account.add(security_key)
    verified = account.verify(security_key)
    record_use(stored, verified, initializes_user_verification=False)
    with pytest.raises(InvalidPasskey) as refused:
        record_use(stored, verified, initializes_user_verification=False)
    assert refused.value.reason in SUSPICIOUS


def test_backup_eligibility_that_changes_is_refused_as_suspicious(
    account: Account, phone: SoftwareAuthenticator
) -> None:
    account.add(phone)
    assert refusal(account, phone, flags=USER_PRESENT | USER_VERIFIED) in SUSPICIOUS


def test_backup_state_that_changes_is_stored(account: Account, phone: SoftwareAuthenticator) -> None:
    account.add(phone)
    account.use(phone, flags=USER_PRESENT | USER_VERIFIED | BACKUP_ELIGIBLE)
    assert not Passkey.objects.get().backed_up


def test_passkey_is_verified_with_the_rp_id_of_its_registration(
    account: Account, phone: SoftwareAuthenticator, settings: Any
) -> None:
    account.add(phone)
    settings.PASSKEY_RP_ID = "example.com"
    phone.passkeys[0].rp_id = "example.com"  # an authenticator that obeys the new options
    assert refusal(account, phone) == "not verified"
