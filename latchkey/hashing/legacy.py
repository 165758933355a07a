"""Password hashers for imported hashes (PBKDF2, scrypt, bcrypt), each replaced by Argon2id at the first sign-in.

Django's own encodings store the salt as text. PHC strings and passlib have it as bytes, so there are hashers for them
here, in Django's layout with salt and hash in base64 without padding: `pbkdf2_sha256_phc$iterations$salt$hash`,
`scrypt_phc$N$salt$r$p$hash`.
"""

import base64
import hashlib
import math
from collections.abc import Sequence
from typing import Any

import bcrypt
from django.contrib.auth.hashers import (
    BasePasswordHasher,
    BCryptPasswordHasher,
    BCryptSHA256PasswordHasher,
    PBKDF2PasswordHasher,
    PBKDF2SHA1PasswordHasher,
    ScryptPasswordHasher,
    identify_hasher,
)
from django.utils.crypto import constant_time_compare

from latchkey.hashing.argon2 import Argon2idPasswordHasher, verify_hardened

MAX_MEMORY_KIB = 256 * 1024
"""KiB that verifying one hash may take; `latchkey users import` rejects hashes that take more."""

BCRYPT_MAX_BYTES = 72
"""Bytes of a password that bcrypt uses. Its library used to truncate longer ones, and now raises."""


class LegacyHasher(BasePasswordHasher):
    """Base class: verify in the hashing thread, and make failures at a cheaper hash as slow as at the default hash.

    Hashes that take longer than the default stay slower (docs/decisions/0007). `cost` estimates the work of a hash for
    the import, in KiB times passes of Argon2; `cost_factor`, measured against argon2-cffi, is that of one work unit.
    """

    cost_factor: float

    def verify(self, password: str, encoded: str) -> bool:
        return verify_hardened(lambda: self.verify_hash(password, encoded))

    def verify_hash(self, password: str, encoded: str) -> bool:
        """Return whether the password matches; runs in the hashing thread."""
        return super().verify(password, encoded)

    def cost(self, encoded: str) -> int:
        """Return the cost of verifying a hash, in KiB times passes of Argon2."""
        return int(self.work_units(self.parts(encoded)) * self.cost_factor)

    def work_units(self, parts: dict[str, Any]) -> int:
        """Return the number of iterations, blocks or rounds that verifying takes."""
        raise NotImplementedError

    def memory_kib(self, encoded: str) -> int:
        """Return the memory that verifying a hash takes, in KiB; 0 if it is negligible."""
        return 0

    def parts(self, encoded: str) -> dict[str, Any]:
        """Return the parameters, salt and hash of an encoded hash."""
        return dict(self.decode(encoded))


def is_imported(encoded: str) -> bool:
    """Tell whether a hash was brought along from another system, which may not have normalized the password."""
    try:
        hasher = identify_hasher(encoded)
    except ValueError:
        return False
    return isinstance(hasher, LegacyHasher) or (
        isinstance(hasher, Argon2idPasswordHasher) and hasher.is_imported(encoded)
    )


def verify_imported(spellings: Sequence[str], encoded: str) -> bool:
    """Compare an imported hash with several spellings of one password, as one comparison of equal time.

    Each spelling costs one hash of the imported kind; what is missing to one default hash is added once, for all.
    """
    hasher: Any = identify_hasher(encoded)
    lanes = hasher.lanes(encoded) * len(spellings) if isinstance(hasher, Argon2idPasswordHasher) else 0
    return verify_hardened(lambda: any(hasher.verify_hash(text, encoded) for text in spellings), lanes=lanes)


class LegacyPBKDF2PasswordHasher(LegacyHasher, PBKDF2PasswordHasher):
    """PBKDF2-HMAC-SHA256 in Django's encoding."""

    cost_factor = 0.4

    def work_units(self, parts: dict[str, Any]) -> int:
        return int(parts["iterations"])


class LegacyPBKDF2SHA1PasswordHasher(LegacyPBKDF2PasswordHasher, PBKDF2SHA1PasswordHasher):
    """PBKDF2-HMAC-SHA1 in Django's encoding."""

    cost_factor = 0.38


class PBKDF2PHCPasswordHasher(LegacyPBKDF2PasswordHasher):
    """PBKDF2-HMAC-SHA256 with a binary salt, from PHC strings and passlib."""

    algorithm = "pbkdf2_sha256_phc"

    def verify_hash(self, password: str, encoded: str) -> bool:
        parts = self.parts(encoded)
        salt, stored = b64decode_unpadded(parts["salt"]), b64decode_unpadded(parts["hash"])
        derived = hashlib.pbkdf2_hmac(self.digest().name, password.encode(), salt, parts["iterations"], len(stored))
        return constant_time_compare(derived, stored)

    def work_units(self, parts: dict[str, Any]) -> int:
        """Count the iterations of every block of the hash (RFC 8018 section 5.2)."""
        return int(parts["iterations"] * math.ceil(len(b64decode_unpadded(parts["hash"])) / self.digest().digest_size))


class PBKDF2SHA512PHCPasswordHasher(PBKDF2PHCPasswordHasher):
    """PBKDF2-HMAC-SHA512 with a binary salt, from PHC strings and passlib."""

    algorithm, digest, cost_factor = "pbkdf2_sha512_phc", hashlib.sha512, 0.8


class LegacyScryptPasswordHasher(LegacyHasher, ScryptPasswordHasher):
    """scrypt (RFC 7914) in Django's encoding."""

    maxmem = (MAX_MEMORY_KIB + 16 * 1024) * 1024  # bytes, with room for p; OpenSSL's own limit is 32 MiB
    cost_factor = 0.42

    def work_units(self, parts: dict[str, Any]) -> int:
        return int(parts["work_factor"] * parts["block_size"] * parts["parallelism"])

    def memory_kib(self, encoded: str) -> int:
        parts = self.parts(encoded)
        return int(parts["work_factor"] * parts["block_size"] // 8)  # 128 bytes each (RFC 7914 section 2)


class ScryptPHCPasswordHasher(LegacyScryptPasswordHasher):
    """scrypt with a binary salt, from PHC strings and passlib."""

    algorithm = "scrypt_phc"

    def verify_hash(self, password: str, encoded: str) -> bool:
        parts = self.parts(encoded)
        salt, stored = b64decode_unpadded(parts["salt"]), b64decode_unpadded(parts["hash"])
        n, r, p = parts["work_factor"], parts["block_size"], parts["parallelism"]
        derived = hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=self.maxmem, dklen=len(stored))
        return constant_time_compare(derived, stored)


class LegacyBCryptSHA256PasswordHasher(LegacyHasher, BCryptSHA256PasswordHasher):
    """bcrypt over the SHA-256 of the password, in Django's encoding."""

    cost_factor = 110

    def work_units(self, parts: dict[str, Any]) -> int:
        return 1 << int(parts["work_factor"])


class LegacyBCryptPasswordHasher(LegacyBCryptSHA256PasswordHasher, BCryptPasswordHasher):
    """Plain bcrypt, which uses only the first 72 bytes of a password."""

    def verify_hash(self, password: str, encoded: str) -> bool:
        return bcrypt.checkpw(password.encode()[:BCRYPT_MAX_BYTES], encoded.partition("$")[2].encode())


def b64decode_unpadded(text: str) -> bytes:
    """Decode base64 without its padding; raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
