"""The keys that tokens are made with, the current one first; the rest verify until the operator drops them."""

from latchkey.core.secrets import keys_for


def access_token_keys() -> list[bytes]:
    """Return the HS256 keys of access tokens: 32 bytes each (RFC 7518 section 3.2)."""
    return keys_for("access token")


def refresh_token_keys() -> list[bytes]:
    """Return the HMAC keys of refresh tokens: 32 bytes each."""
    return keys_for("refresh token")
