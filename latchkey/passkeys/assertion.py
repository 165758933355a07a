"""Assertion: the verification of a signature by a passkey, and what is stored about its use.

WebAuthn Level 3 section 7.2; `options.py` has the request for it. The caller keeps the challenge, which serves once,
and decides what a verified passkey is good for; nothing here opens a session.
"""

import hmac
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q

from latchkey.core import clock
from latchkey.core.exceptions import InvalidPasskey
from latchkey.passkeys.models import Passkey
from latchkey.passkeys.responses import (
    GET,
    AssertionResponse,
    check_client_data,
    encode_base64url,
    refuse_unverifiable,
)

COUNTER_WENT_BACK, BACKUP_CHANGED = "counter went back", "backup eligibility changed"
SUSPICIOUS = frozenset({COUNTER_WENT_BACK, BACKUP_CHANGED})
"""Reasons of a refusal that point to a copy of the passkey: the signature was right."""


@dataclass(frozen=True, slots=True)
class VerifiedAssertion:
    """What an authenticator has proved with a passkey.

    user_verified: it has verified its user by PIN or biometrics, and had done so before under another proof.
    sign_count, backed_up: to be stored by `record_use`. verified_now: what the flag of this answer says.
    """

    user_verified: bool
    verified_now: bool
    sign_count: int
    backed_up: bool


def verify_assertion(
    passkey: Passkey,
    response: AssertionResponse,
    challenge: bytes,
    require_user_verification: bool,
) -> VerifiedAssertion:
    """Verify the answer to `request_options` with this challenge, by this passkey; raises InvalidPasskey.

    An answer that names another user handle than the account's is refused; where user verification is required, because
    nothing else says who signs in, the answer has to name it. Counter and backup eligibility are compared after the
    signature, so that nobody without the key can raise an alarm.
    """
    check_client_data(response.client_data, GET, challenge)
    named = response.user_handle
    if named is None and require_user_verification:
        raise InvalidPasskey(reason="no user handle")
    if named is not None and not hmac.compare_digest(named, bytes(passkey.user.user_handle or b"")):
        raise InvalidPasskey(reason="wrong user handle")
    with refuse_unverifiable("not verified"):
        from webauthn import verify_authentication_response  # noqa: PLC0415  # imported when first used, as it is slow
        from webauthn.helpers import parse_authenticator_data  # noqa: PLC0415
        from webauthn.helpers.structs import (  # noqa: PLC0415
            AuthenticationCredential,
            AuthenticatorAssertionResponse,
        )

        verified = verify_authentication_response(
            credential=AuthenticationCredential(
                id=encode_base64url(response.credential_id),
                raw_id=response.credential_id,
                response=AuthenticatorAssertionResponse(
                    client_data_json=response.client_data,
                    authenticator_data=response.authenticator_data,
                    signature=response.signature,
                ),
            ),
            expected_challenge=challenge,
            expected_rp_id=passkey.rp_id,
            expected_origin=settings.PASSKEY_ORIGINS,
            credential_public_key=bytes(passkey.public_key),
            credential_current_sign_count=0,  # compared below
        )
        backup_eligible = parse_authenticator_data(response.authenticator_data).flags.be
    if not hmac.compare_digest(response.credential_id, bytes(passkey.credential_id)):
        raise InvalidPasskey(reason="not verified")
    if passkey.sign_count and verified.new_sign_count <= passkey.sign_count:
        raise InvalidPasskey(reason=COUNTER_WENT_BACK)
    if backup_eligible != passkey.backup_eligible:
        raise InvalidPasskey(reason=BACKUP_CHANGED)
    user_verified = verified.user_verified and passkey.user_verified
    if require_user_verification and not user_verified:
        raise InvalidPasskey(reason="user not verified")
    return VerifiedAssertion(
        user_verified, verified.user_verified, verified.new_sign_count, verified.credential_backed_up
    )


def record_use(passkey: Passkey, verified: VerifiedAssertion, initializes_user_verification: bool) -> None:
    """Store counter, backup state and time of a use, in the caller's transaction; raises InvalidPasskey.

    One conditional UPDATE: of two uses at the same time with the same counter only one succeeds.
    initializes_user_verification: the person has given a password or another factor, too, so that from now on this
    passkey may replace the password. Otherwise a thief could set a PIN on a security key that had none, and sign in.
    """
    initialized = {"user_verified": True} if initializes_user_verification and verified.verified_now else {}
    changes = {"sign_count": verified.sign_count, "backed_up": verified.backed_up, **initialized}
    rises = Q(sign_count__lt=verified.sign_count) | Q(sign_count=0)
    if not Passkey.objects.filter(rises, pk=passkey.pk).update(last_used_at=clock.now(), **changes):
        raise InvalidPasskey(reason=COUNTER_WENT_BACK)
