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

from latchkey.hashing.runtime import compared

MOST_MEMORY = 256 * 1024
"""KiB that verifying one hash may take; `latchkey users import` refuses what takes more."""

BCRYPT_READS = 72
"""Bytes of a password: bcrypt never looked at more, and its library now refuses what it once cut."""


class Foreign(BasePasswordHasher):
    """Verify in the slot for hashing, and make a wrong guess at a cheap hash as dear as at one of ours.

    What takes longer than ours is left as it is (decision 7). `work` says about how dear a hash is, in KiB times passes
    of Argon2, for who takes it in; `factor`, which was measured with argon2-cffi, is that of one iteration.
    """

    factor: float

    def verify(self, password: str, encoded: str) -> bool:
        return compared(lambda: self.matches(password, encoded))

    def matches(self, password: str, encoded: str) -> bool:
        return super().verify(password, encoded)

    def work(self, encoded: str) -> int:
        return int(self.iterations_of(self.parts(encoded)) * self.factor)

    def iterations_of(self, parts: dict[str, Any]) -> int:
        raise NotImplementedError

    def memory(self, encoded: str) -> int:
        """Return how many KiB verifying takes, where it is enough to be asked about."""
        return 0

    def parts(self, encoded: str) -> dict[str, Any]:
        return dict(self.decode(encoded))


class PBKDF2(Foreign, PBKDF2PasswordHasher):
    factor = 0.4

    def iterations_of(self, parts: dict[str, Any]) -> int:
        return int(parts["iterations"])


class PBKDF2SHA1(PBKDF2, PBKDF2SHA1PasswordHasher):
    factor = 0.38


class PBKDF2PHC(PBKDF2):
    algorithm = "pbkdf2_sha256_phc"

    def matches(self, password: str, encoded: str) -> bool:
        parts = self.parts(encoded)
        salt, known = unpadded(parts["salt"]), unpadded(parts["hash"])
        made = hashlib.pbkdf2_hmac(self.digest().name, password.encode(), salt, parts["iterations"], len(known))
        return constant_time_compare(made, known)

    def iterations_of(self, parts: dict[str, Any]) -> int:
        """Count the iterations of every block of the hash (RFC 8018 section 5.2)."""
        return int(parts["iterations"] * math.ceil(len(unpadded(parts["hash"])) / self.digest().digest_size))


class PBKDF2SHA512PHC(PBKDF2PHC):
    algorithm, digest, factor = "pbkdf2_sha512_phc", hashlib.sha512, 0.8


class Scrypt(Foreign, ScryptPasswordHasher):
    maxmem = (MOST_MEMORY + 16 * 1024) * 1024  # bytes, with room for p; OpenSSL's own limit is 32 MiB
    factor = 0.42

    def iterations_of(self, parts: dict[str, Any]) -> int:
        return int(parts["work_factor"] * parts["block_size"] * parts["parallelism"])

    def memory(self, encoded: str) -> int:
        parts = self.parts(encoded)
        return int(parts["work_factor"] * parts["block_size"] // 8)  # 128 bytes each (RFC 7914 section 2)


class ScryptPHC(Scrypt):
    algorithm = "scrypt_phc"

    def matches(self, password: str, encoded: str) -> bool:
        parts = self.parts(encoded)
        salt, known = unpadded(parts["salt"]), unpadded(parts["hash"])
        n, r, p = parts["work_factor"], parts["block_size"], parts["parallelism"]
        made = hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=self.maxmem, dklen=len(known))
        return constant_time_compare(made, known)


class BCryptSHA256(Foreign, BCryptSHA256PasswordHasher):
    factor = 110

    def iterations_of(self, parts: dict[str, Any]) -> int:
        return 1 << int(parts["work_factor"])


class BCrypt(BCryptSHA256, BCryptPasswordHasher):
    def matches(self, password: str, encoded: str) -> bool:
        return bcrypt.checkpw(password.encode()[:BCRYPT_READS], encoded.partition("$")[2].encode())


def unpadded(text: str) -> bytes:
    """Decode base64 without its padding; raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
