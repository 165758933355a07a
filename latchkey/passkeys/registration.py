"""Registration of a passkey: the verification of the authenticator's answer, and the new row.

WebAuthn Level 3 section 7.1. `options.py` has the request for it.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from latchkey.core.exceptions import InvalidInput, InvalidPasskey
from latchkey.passkeys.models import MAX_CREDENTIAL_ID, MAX_PASSKEYS, MAX_PUBLIC_KEY, Passkey
from latchkey.passkeys.options import ALGORITHMS
from latchkey.passkeys.responses import (
    CREATE,
    RegistrationResponse,
    check_client_data,
    encode_base64url,
    refuse_unverifiable,
)
from latchkey.tokens.authentication_methods import Proof

MAX_TRANSPORTS = 8
_TRANSPORT = re.compile(r"[a-z][a-z-]{0,15}")

TOO_MANY = f"An account has {MAX_PASSKEYS} passkeys at most; remove one first."


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """The verified values of a new passkey, named as the columns of `Passkey`."""

    credential_id: bytes
    public_key: bytes
    rp_id: str
    sign_count: int
    transports: str
    aaguid: UUID
    backup_eligible: bool
    backed_up: bool
    user_verified: bool

    @property
    def proof(self) -> Proof:
        """What the registration proves: possession, and that the authenticator has verified its user."""
        return Proof.PASSKEY | (Proof.USER_VERIFIED if self.user_verified else Proof.NONE)


def verify_registration(response: RegistrationResponse, challenge: bytes) -> NewPasskey:
    """Verify the answer to `creation_options` with this challenge (32 bytes); raises InvalidPasskey.

    The attestation is left out before the library sees it: none was requested, and one that comes anyhow proves nothing
    about an authenticator that nobody has to trust. So no certificates of strangers are parsed.
    """
    check_client_data(response.client_data, CREATE, challenge)
    with refuse_unverifiable("malformed"):
        from webauthn import verify_registration_response  # noqa: PLC0415  # imported when first used, as it is slow
        from webauthn.helpers import (  # noqa: PLC0415
            decode_credential_public_key,
            decoded_public_key_to_cryptography,
            encode_cbor,
            parse_authenticator_data,
            parse_cbor,
        )
        from webauthn.helpers.cose import COSEAlgorithmIdentifier  # noqa: PLC0415
        from webauthn.helpers.structs import (  # noqa: PLC0415
            AuthenticatorAttestationResponse,
            RegistrationCredential,
        )

        authenticator_data = parse_cbor(response.attestation_object)["authData"]
        if not isinstance(authenticator_data, bytes):
            raise InvalidPasskey(reason="malformed")
        verified = verify_registration_response(
            credential=RegistrationCredential(
                id=encode_base64url(response.credential_id),
                raw_id=response.credential_id,
                response=AuthenticatorAttestationResponse(
                    client_data_json=response.client_data,
                    attestation_object=encode_cbor({"fmt": "none", "attStmt": {}, "authData": authenticator_data}),
                ),
            ),
            expected_challenge=challenge,
            expected_rp_id=settings.PASSKEY_RP_ID,
            expected_origin=settings.PASSKEY_ORIGINS,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(algorithm) for algorithm in ALGORITHMS],
        )
        decoded_public_key_to_cryptography(decode_credential_public_key(verified.credential_public_key))
        backup_eligible = parse_authenticator_data(authenticator_data).flags.be
        if not (
            verified.credential_id == response.credential_id
            and len(verified.credential_id) <= MAX_CREDENTIAL_ID
            and len(verified.credential_public_key) <= MAX_PUBLIC_KEY
        ):
            raise InvalidPasskey(reason="malformed")
    return NewPasskey(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        rp_id=settings.PASSKEY_RP_ID,
        sign_count=verified.sign_count,
        transports=_clean_transports(response.transports),
        aaguid=UUID(verified.aaguid),
        backup_eligible=backup_eligible,
        backed_up=verified.credential_backed_up,
        user_verified=verified.user_verified,
    )


def add_passkey(user_id: int, new: NewPasskey, name: str) -> Passkey:
    """Insert a passkey of the user, whose row the caller has locked in this transaction.

    Raises InvalidPasskey where the credential is registered already, to whomever (WebAuthn Level 3 section 7.1, step
    26), and InvalidInput where the account has the greatest number of passkeys.
    """
    if Passkey.objects.filter(user=user_id).count() >= MAX_PASSKEYS:
        raise InvalidInput({"body": [TOO_MANY]})
    try:
        with transaction.atomic():  # a savepoint: PostgreSQL accepts no more statements after the error
            return Passkey.objects.create(user_id=user_id, name=name, **asdict(new))
    except IntegrityError:
        raise InvalidPasskey(reason="registered already") from None


def _clean_transports(transports: Sequence[str]) -> str:
    """Return the transports separated by spaces, unknown ones included (WebAuthn Level 3 section 5.8.4)."""
    return " ".join(sorted({text for text in transports[:MAX_TRANSPORTS] if _TRANSPORT.fullmatch(text)}))
