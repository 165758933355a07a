"""Private keys at rest: encrypted under a key that is derived from the secret, so a leaked database signs nothing."""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from latchkey.core.secrets import keys_for


def seal(private: bytes) -> bytes:
    """Encrypt under the current secret: AES-128-CBC and HMAC-SHA256 (Fernet)."""
    return _fernets()[0].encrypt(private)


def unseal(sealed: bytes) -> bytes | None:
    """Decrypt what was sealed under the current secret or one of its fallbacks; None where none of them fits."""
    try:
        return MultiFernet(_fernets()).decrypt(sealed)
    except InvalidToken:
        return None


def is_current(sealed: bytes) -> bool:
    """Tell whether this was sealed under the current secret, so that its fallbacks are not needed for it."""
    try:
        _fernets()[0].decrypt(sealed)
    except InvalidToken:
        return False
    return True


def _fernets() -> list[Fernet]:
    return [Fernet(urlsafe_b64encode(key)) for key in keys_for("signing key")]
