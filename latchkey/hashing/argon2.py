"""How new passwords are hashed."""

import base64
import re

from django.contrib.auth.hashers import Argon2PasswordHasher
from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id

from latchkey.hashing.executor import hashed
from latchkey.hashing.runtime import MEMORY, PASSES, compared, computed

LONGEST = 127
"""Characters of a PHC string that libsodium reads."""

LETTERS = 43
"""In base64 without padding, of the 32 bytes of a hash."""

_OF_SEVERAL_LANES = re.compile(r"argon2\$argon2i?d?\$(?:v=[0-9]+\$)?m=([0-9]+),t=([0-9]+),p=(?!1\$)[0-9]+\$.+")
_BY_LIBSODIUM = re.compile(r"\$argon2id\$v=19\$m=[0-9]+,t=[0-9]+,p=1\$[^,]+")


class Argon2id(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet).

    libsodium computes it, in three quarters of the time of argon2-cffi or less, and gives the memory back at once. What
    it does not know (Argon2i, Argon2d, several lanes) argon2-cffi does.
    """

    memory_cost, time_cost, parallelism = MEMORY, PASSES, 1
    salt_entropy = 95  # bits, in as many letters and digits as libsodium takes bytes of salt

    def encode(self, password: str, salt: str) -> str:
        made = hashed(lambda: computed(password.encode(), salt.encode(), self.memory_cost, self.time_cost))
        return f"{_named(self.memory_cost, self.time_cost)}{_base64(salt.encode())}${_base64(made)}"

    def verify(self, password: str, encoded: str) -> bool:
        is_ours = encoded.startswith(_OURS) and len(encoded.rpartition("$")[2]) == LETTERS
        several = _OF_SEVERAL_LANES.fullmatch(encoded)
        lanes = int(several[1]) * int(several[2]) / (MEMORY * PASSES) if several else 0
        return compared(lambda: self._matches(password, encoded), is_ours, lanes)

    def work(self, encoded: str) -> int:
        """Return what verifying costs, in KiB times passes."""
        return self.memory(encoded) * int(self.decode(encoded)["time_cost"])

    def memory(self, encoded: str) -> int:
        """Return how many KiB verifying takes."""
        return int(self.decode(encoded)["memory_cost"])

    def _matches(self, password: str, encoded: str) -> bool:
        phc = encoded.removeprefix("argon2")
        if len(phc) > LONGEST or not _BY_LIBSODIUM.fullmatch(phc):
            return super().verify(password, encoded)
        try:
            return argon2id.verify(phc.encode(), password.encode())
        except InvalidkeyError:
            return False


def _named(memory: int, passes: int) -> str:
    return f"argon2$argon2id$v=19$m={memory},t={passes},p=1$"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


_OURS = _named(MEMORY, PASSES)
"""How every hash begins that costs what ours do."""
