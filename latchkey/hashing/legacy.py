"""Password hashes that other systems made: each opens its account once, and then gives way to one of ours.

Django's own encodings keep a salt as text. Those of PHC strings and of passlib keep bytes, so they have hashers of
their own here, in Django's layout with both salt and hash in base64 without padding:
`pbkdf2_sha256_phc$iterations$salt$hash`, `scrypt_phc$N$salt$r$p$hash`.
"""

import base64
import hashlib
import math
from typing import Any

import bcrypt
from django.contrib.auth.hashers import (
    BasePasswordHasher,
    BCryptPasswordHasher,
    BCryptSHA256PasswordHasher,
    PBKDF2PasswordHasher,
    PBKDF2SHA1PasswordHasher,
    ScryptPasswordHasher,
)
from django.utils.crypto import constant_time_compare

from latchkey.hashing.argon2 import verify_hardened

MAX_MEMORY_KIB = 256 * 1024
"""KiB that verifying one hash may take; `latchkey users import` refuses what takes more."""

BCRYPT_MAX_BYTES = 72
"""Bytes of a password: bcrypt never looked at more, and its library now refuses what it once cut."""


class LegacyHasher(BasePasswordHasher):
    """Verify in the slot for hashing, and make a wrong guess at a cheap hash as dear as at one of ours.

    What takes longer than ours is left as it is (decision 7). `work` says about how dear a hash is, in KiB times passes
    of Argon2, for who takes it in; `factor`, which was measured with argon2-cffi, is that of one iteration.
    """

    cost_factor: float

    def verify(self, password: str, encoded: str) -> bool:
        return verify_hardened(lambda: self.verify_hash(password, encoded))

    def verify_hash(self, password: str, encoded: str) -> bool:
        return super().verify(password, encoded)

    def cost(self, encoded: str) -> int:
        return int(self.work_units(self.parts(encoded)) * self.cost_factor)

    def work_units(self, parts: dict[str, Any]) -> int:
        raise NotImplementedError

    def memory_kib(self, encoded: str) -> int:
        """Return how many KiB verifying takes, where it is enough to be asked about."""
        return 0

    def parts(self, encoded: str) -> dict[str, Any]:
        return dict(self.decode(encoded))


class LegacyPBKDF2PasswordHasher(LegacyHasher, PBKDF2PasswordHasher):
    cost_factor = 0.4

    def work_units(self, parts: dict[str, Any]) -> int:
        return int(parts["iterations"])


class LegacyPBKDF2SHA1PasswordHasher(LegacyPBKDF2PasswordHasher, PBKDF2SHA1PasswordHasher):
    cost_factor = 0.38


class PBKDF2PHCPasswordHasher(LegacyPBKDF2PasswordHasher):
    algorithm = "pbkdf2_sha256_phc"

    def verify_hash(self, password: str, encoded: str) -> bool:
        parts = self.parts(encoded)
        salt, known = b64decode_unpadded(parts["salt"]), b64decode_unpadded(parts["hash"])
        made = hashlib.pbkdf2_hmac(self.digest().name, password.encode(), salt, parts["iterations"], len(known))
        return constant_time_compare(made, known)

    def work_units(self, parts: dict[str, Any]) -> int:
        """Count the iterations of every block of the hash (RFC 8018 section 5.2)."""
        return int(parts["iterations"] * math.ceil(len(b64decode_unpadded(parts["hash"])) / self.digest().digest_size))


class PBKDF2SHA512PHCPasswordHasher(PBKDF2PHCPasswordHasher):
    algorithm, digest, cost_factor = "pbkdf2_sha512_phc", hashlib.sha512, 0.8


class LegacyScryptPasswordHasher(LegacyHasher, ScryptPasswordHasher):
    maxmem = (MAX_MEMORY_KIB + 16 * 1024) * 1024  # bytes, with room for p; OpenSSL's own limit is 32 MiB
    cost_factor = 0.42

    def work_units(self, parts: dict[str, Any]) -> int:
        return int(parts["work_factor"] * parts["block_size"] * parts["parallelism"])

    def memory_kib(self, encoded: str) -> int:
        parts = self.parts(encoded)
        return int(parts["work_factor"] * parts["block_size"] // 8)  # 128 bytes each (RFC 7914 section 2)


class ScryptPHCPasswordHasher(LegacyScryptPasswordHasher):
    algorithm = "scrypt_phc"

    def verify_hash(self, password: str, encoded: str) -> bool:
        parts = self.parts(encoded)
        salt, known = b64decode_unpadded(parts["salt"]), b64decode_unpadded(parts["hash"])
        n, r, p = parts["work_factor"], parts["block_size"], parts["parallelism"]
        made = hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=self.maxmem, dklen=len(known))
        return constant_time_compare(made, known)


class LegacyBCryptSHA256PasswordHasher(LegacyHasher, BCryptSHA256PasswordHasher):
    cost_factor = 110

    def work_units(self, parts: dict[str, Any]) -> int:
        return 1 << int(parts["work_factor"])


class LegacyBCryptPasswordHasher(LegacyBCryptSHA256PasswordHasher, BCryptPasswordHasher):
    def verify_hash(self, password: str, encoded: str) -> bool:
        return bcrypt.checkpw(password.encode()[:BCRYPT_MAX_BYTES], encoded.partition("$")[2].encode())


def b64decode_unpadded(text: str) -> bytes:
    """Decode base64 without its padding; raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
