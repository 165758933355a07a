"""Secrets of authenticator apps from other systems: base32, or the otpauth:// URI of a QR code.

People keep the app that they have. Only codes that Latchkey can check are taken: HMAC-SHA-1, 6 digits, 30 s, which is
what apps have by default (RFC 6238); with any other, nobody could sign in.
"""

import binascii
from base64 import b32decode
from urllib.parse import parse_qsl, urlsplit

from latchkey.factors.totp import DIGITS, MIN_SECRET_BYTES, STEP_SECONDS

MAX_SECRET_BYTES = 128
"""Bytes of the longest secret: twice the block of HMAC-SHA-1, which hashes longer ones."""

URI_PREFIX = "otpauth:"


def parse_totp_secret(text: str) -> bytes:
    """Return the secret; raises ValueError with a sentence that does not repeat it."""
    base32 = _from_uri(text) if text.strip().lower().startswith(URI_PREFIX) else text
    compact = "".join(base32.split()).replace("-", "").rstrip("=").upper()
    try:
        secret = b32decode(compact + "=" * (-len(compact) % 8))
    except (binascii.Error, ValueError) as error:
        raise ValueError("This is neither base32 nor an otpauth:// URI.") from error
    if not MIN_SECRET_BYTES <= len(secret) <= MAX_SECRET_BYTES:
        raise ValueError(f"A secret has {8 * MIN_SECRET_BYTES} to {8 * MAX_SECRET_BYTES} bits.")
    return secret


def _from_uri(uri: str) -> str:
    """Return the base32 secret of an otpauth:// URI (Key Uri Format); raises ValueError."""
    try:
        parts = urlsplit(uri.strip())
    except ValueError as error:
        raise ValueError("This otpauth:// URI cannot be read.") from error
    if parts.netloc.lower() != "totp":
        raise ValueError("Only time-based codes are supported: otpauth://totp/.")
    values = {name.lower(): value for name, value in parse_qsl(parts.query, keep_blank_values=True)}
    supported = {"algorithm": ("SHA1", "HMACSHA1"), "digits": (str(DIGITS),), "period": (str(STEP_SECONDS),)}
    for name, accepted in supported.items():
        if values.get(name, accepted[0]).upper().replace("-", "") not in accepted:
            raise ValueError(f"Its {name} is not supported, only {accepted[0]}.")
    return values.get("secret", "")
