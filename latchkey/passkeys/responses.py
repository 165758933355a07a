"""What a browser or an app sends back after a ceremony, and the check of its client data (WebAuthn Level 3).

The library checks the type, the challenge and the origin, too. They are checked here first because the audit log has to
say which of them was wrong, and because the library accepts pages in frames of other sites.
"""

import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings

from latchkey.core.exceptions import InvalidPasskey

CREATE, GET = "webauthn.create", "webauthn.get"
"""Types of a ceremony in the client data: registration, and assertion."""

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class RegistrationResponse:
    """The answer to a request for a new passkey (AuthenticatorAttestationResponse)."""

    credential_id: bytes
    client_data: bytes
    attestation_object: bytes
    transports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AssertionResponse:
    """The answer to a request for a signature by a passkey (AuthenticatorAssertionResponse)."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None = None


def encode_base64url(data: bytes) -> str:
    """Return the bytes in base64url without padding (RFC 4648 section 5), as the JSON of WebAuthn has them."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """Return the bytes of a base64url text without padding; raises ValueError for any other spelling."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise ValueError("not base64url")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def check_client_data(client_data: bytes, ceremony: str, challenge: bytes) -> None:
    """Check type, challenge and origin of the client data (WebAuthn Level 3 section 7.1, steps 5 to 11).

    Raises InvalidPasskey with the reason. A page in a frame of another site is refused: nobody sees there whom the
    passkey is for.
    """
    try:
        data = json.loads(client_data.decode())
        sent = decode_base64url(data["challenge"])
        kind, origin, framed = data["type"], data["origin"], data.get("crossOrigin", False)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InvalidPasskey(reason="malformed") from None
    if kind != ceremony:
        raise InvalidPasskey(reason="wrong ceremony")
    if not challenge or not hmac.compare_digest(sent, challenge):  # empty: none was issued, or it is used up
        raise InvalidPasskey(reason="wrong challenge")
    if origin not in settings.PASSKEY_ORIGINS:
        raise InvalidPasskey(reason="wrong origin")
    if framed is not False:
        raise InvalidPasskey(reason="in a frame")


@contextmanager
def refuse_unverifiable(reason: str) -> Iterator[None]:
    """Turn whatever the library raises into one refusal.

    It raises errors of its own, of the CBOR decoder, of the cryptographic library, and plain KeyErrors, depending on
    what a stranger has sent; none of them is a fault of the service. Their texts repeat the input and go nowhere.
    """
    try:
        yield
    except InvalidPasskey:
        raise
    except Exception:  # of a library that is given a stranger's bytes
        raise InvalidPasskey(reason=reason) from None
