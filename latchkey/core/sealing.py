"""Secrets that have to be read again, at rest: encrypted, so that a leaked database alone gives none of them away."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from latchkey.core.secrets import keys_for


@dataclass(frozen=True, slots=True)
class Seal:
    """What seals for one purpose, under a key that is derived for it from the secret: another one opens none of it."""

    purpose: str

    def seal(self, secret: bytes) -> bytes:
        """Encrypt under the current secret: AES-128-CBC and HMAC-SHA256 (Fernet)."""
        return self._fernets()[0].encrypt(secret)

    def unseal(self, sealed: bytes) -> bytes | None:
        """Decrypt what was sealed under the current secret or one of its fallbacks; None where none of them fits."""
        try:
            return MultiFernet(self._fernets()).decrypt(sealed)
        except InvalidToken:
            return None

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether this was sealed under the current secret, so that its fallbacks are not needed for it."""
        try:
            self._fernets()[0].decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def _fernets(self) -> list[Fernet]:
        return [Fernet(urlsafe_b64encode(key)) for key in keys_for(self.purpose)]
