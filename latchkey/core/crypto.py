"""The one secret that an operator keeps, and the keys for one purpose each that are derived from it.

Secrets that have to be read again, at rest: encrypted, so that a leaked database alone gives none of them away.
"""

import os
import secrets
from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver


def ensure_private_directory(path: Path) -> Path:
    """Return the directory, made for our eyes only where it was missing; raises ImproperlyConfigured."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"The data directory {path} cannot be made: {error.strerror}.") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"The data directory {path} cannot be written to.")
    return path


def read_or_create_secret(path: Path) -> str:
    """Return the secret kept in a file, which is made with mode 0600 where it is missing.

    Processes that start at once agree: the file is linked into place whole, and the first one wins.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text().strip()


@cache
def derive_keys(purpose: str) -> tuple[bytes, ...]:
    """Return the 32-byte keys for a purpose, the current one first, then those of the fallbacks.

    HKDF-SHA256 (RFC 5869) keeps purposes apart: a leaked key gives away neither the secret nor the key of
    another purpose.
    """
    info = f"latchkey {purpose}".encode()
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return tuple(HKDF(SHA256(), length=32, salt=None, info=info).derive(secret.encode()) for secret in secrets)


@receiver(setting_changed)
def _clear_keys(**kwargs: object) -> None:
    """Derive the keys anew where Django's test client overrides a setting; nothing else changes the secret."""
    derive_keys.cache_clear()


@dataclass(frozen=True, slots=True)
class Encryptor:
    """What seals for one purpose, under a key that is derived for it from the secret: another one opens none of it."""

    purpose: str

    def encrypt(self, secret: bytes) -> bytes:
        """Encrypt under the current secret: AES-128-CBC and HMAC-SHA256 (Fernet)."""
        return self._fernets()[0].encrypt(secret)

    def decrypt(self, sealed: bytes) -> bytes | None:
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
        return [Fernet(urlsafe_b64encode(key)) for key in derive_keys(self.purpose)]
