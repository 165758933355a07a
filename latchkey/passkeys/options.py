"""Options of the two ceremonies: what a browser or an app passes on to an authenticator.

WebAuthn Level 3 sections 5.4 and 5.5. They are plain dictionaries, the JSON forms of the standard: building one needs
no library, whose import takes a tenth of a second.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from latchkey.conf.site import current_site
from latchkey.passkeys.models import Passkey
from latchkey.passkeys.responses import encode_base64url

ALGORITHMS = (-7, -8, -257)
"""COSE algorithms, the preferred one first: ES256, EdDSA, RS256 (for Windows Hello)."""


def creation_options(  # noqa: PLR0913  # keyword-only
    *,
    challenge: bytes,
    user_handle: bytes,
    email: str,
    display_name: str,
    existing: Iterable[Passkey],
    timeout_seconds: int,
) -> dict[str, Any]:
    """Return the PublicKeyCredentialCreationOptionsJSON for a new passkey of an account.

    A resident key is required, so that each passkey can sign in without an e-mail address. User verification is only
    preferred: a security key without a PIN is a good second factor; it cannot replace the password. Passkeys that the
    account has are excluded: a second one with the same user handle would overwrite the first in its authenticator.
    """
    return {
        "rp": {"id": settings.PASSKEY_RP_ID, "name": current_site().name},
        "user": {"id": encode_base64url(user_handle), "name": email, "displayName": display_name or email},
        "challenge": encode_base64url(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in ALGORITHMS],
        "timeout": timeout_seconds * 1_000,
        "excludeCredentials": descriptors(existing),
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "preferred",
        },
        "attestation": "none",
    }


def request_options(
    *,
    challenge: bytes,
    timeout_seconds: int,
    passkeys: Iterable[Passkey] | None = None,
    require_user_verification: bool = False,
) -> dict[str, Any]:
    """Return the PublicKeyCredentialRequestOptionsJSON for a signature by a passkey.

    Without `passkeys` the list is empty: the authenticator offers what it has for the RP ID, and its answer says whose
    it is.
    """
    return {
        "challenge": encode_base64url(challenge),
        "timeout": timeout_seconds * 1_000,
        "rpId": settings.PASSKEY_RP_ID,
        "allowCredentials": descriptors(passkeys or ()),
        "userVerification": "required" if require_user_verification else "preferred",
    }


def descriptors(passkeys: Iterable[Passkey]) -> list[Mapping[str, Any]]:
    """Return the PublicKeyCredentialDescriptorJSON of each passkey of the present RP ID."""
    return [
        {
            "type": "public-key",
            "id": encode_base64url(bytes(passkey.credential_id)),
            "transports": passkey.transports.split(),
        }
        for passkey in passkeys
        if passkey.rp_id == settings.PASSKEY_RP_ID
    ]
