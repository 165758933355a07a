"""Key derivation from the secret key (HKDF), and encryption at rest (Fernet).

The operator keeps one secret; each purpose has a key of its own that is derived from it. Secrets that must be read
back, such as private keys and the codes in unsent mails, are stored encrypted: a leaked database alone reveals none.
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
    """Return the directory, created with mode 0700 if it is missing; raises ImproperlyConfigured if that fails."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"The data directory {path} cannot be created: {error.strerror}.") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"The data directory {path} is not writable.")
    return path


def read_or_create_secret(path: Path) -> str:
    """Return the secret in a file, which is created with mode 0600 and 512 random bits if it is missing.

    Processes that start at the same time agree on one secret: the complete file is linked into place, and the first
    link wins.
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
    """Return the 32-byte keys for a purpose: that of the current secret key first, then those of the fallbacks.

    HKDF-SHA256 (RFC 5869) separates the purposes: a leaked key reveals neither the secret nor the key of another
    purpose.
    """
    info = f"latchkey {purpose}".encode()
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return tuple(HKDF(SHA256(), length=32, salt=None, info=info).derive(secret.encode()) for secret in secrets)


@receiver(setting_changed)
def _clear_keys(**kwargs: object) -> None:
    """Clear the cache when a test overrides a setting; in a running service the secret never changes."""
    derive_keys.cache_clear()


@dataclass(frozen=True, slots=True)
class Encryptor:
    """Symmetric encryption for one purpose, with a key derived for that purpose: no other purpose can decrypt it."""

    purpose: str

    def encrypt(self, plaintext: bytes) -> bytes:
        """Encrypt with the current secret key: AES-128-CBC and HMAC-SHA256 (Fernet)."""
        return self._fernets()[0].encrypt(plaintext)

    def decrypt(self, ciphertext: bytes) -> bytes | None:
        """Decrypt with the current secret key or one of the fallbacks; None if none of them fits."""
        try:
            return MultiFernet(self._fernets()).decrypt(ciphertext)
        except InvalidToken:
            return None

    def is_current(self, ciphertext: bytes) -> bool:
        """Return whether the current secret key decrypts this, so that no fallback is needed for it."""
        try:
            self._fernets()[0].decrypt(ciphertext)
        except InvalidToken:
            return False
        return True

    def _fernets(self) -> list[Fernet]:
        return [Fernet(urlsafe_b64encode(key)) for key in derive_keys(self.purpose)]
