"""Argon2id: the hash of new passwords, and constant time for wrong ones whatever hash an account has.

A wrong password costs the processor time of one default hash, so that the response time does not allow user enumeration
(a timing attack; docs/decisions/0007 and 0016).
"""

import base64
import re
from collections import deque
from collections.abc import Callable
from statistics import median
from time import thread_time

from django.contrib.auth.hashers import Argon2PasswordHasher
from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id

from latchkey.core.exceptions import ServiceUnavailable
from latchkey.hashing.executor import run

MEMORY_KIB, TIME_COST = 19_456, 2
"""KiB, and times that Argon2id goes over them: what a hash of ours costs (OWASP Password Storage Cheat Sheet)."""

HASH_BYTES, SALT_BYTES = 32, 16

IGNORED_GAP, ACCEPTED_GAP = 0.05, 0.01
"""Of one of our hashes: less than the first is not made up for, as ours differ by it; else less than the second is."""

NOT_COMPUTED_BELOW = 0.5
"""Of one of our hashes: one that took less was refused before it was computed."""

MINIMUM = 0.002
"""Seconds: no processor computes one of ours in less. It stands for them in a new process."""

recent_durations: deque[float] = deque(maxlen=9)
"""Seconds that a processor took for each of the latest hashes of ours in this process."""


def argon2id_kdf(password: bytes, salt: bytes, memory_kib: int = MEMORY_KIB, time_cost: int = TIME_COST) -> bytes:
    """Return what Argon2id makes of a password and 16 bytes of salt; memory is in KiB.

    Raises Unavailable where the machine has none left.
    """
    began = thread_time()
    try:
        made = argon2id.kdf(HASH_BYTES, password, salt, opslimit=time_cost, memlimit=memory_kib * 1024)
    except RuntimeError as error:
        raise ServiceUnavailable from error
    if (memory_kib, time_cost) == (MEMORY_KIB, TIME_COST):
        recent_durations.append(thread_time() - began)
    return made


def verify_hardened(compare: Callable[[], bool], is_ours: bool = False, lanes: float = 0) -> bool:
    """Compare a password in the slot for hashing; a wrong one costs what one of our hashes does, or more.

    lanes is for a hash of several: what it costs, of one of ours. Its library has them computed by threads of its own,
    which the clock of this thread does not see.
    """
    return run(lambda: _verify_hardened(compare, is_ours, lanes))


def _verify_hardened(compare: Callable[[], bool], is_ours: bool, lanes: float) -> bool:
    began = thread_time()
    matched = compare()
    spent = thread_time() - began
    if is_ours and spent > NOT_COMPUTED_BELOW * (median(recent_durations) if recent_durations else MINIMUM):
        recent_durations.append(spent)  # and nothing is missing, however long the latest took
    elif not matched:
        harden_runtime(spent, lanes)
    return matched


def harden_runtime(spent: float, share: float = 0) -> None:
    """Compute what is missing to the time of one hash of ours; spent is in seconds, and share of one of ours.

    Time is that of the processor in this thread, and ours is what it took lately: how long a hash takes depends on the
    machine, and how passes over little memory compare with passes over much, on its caches. So each step computes the
    part that is missing and looks again.
    """
    if not recent_durations:  # in a new process: that was one hash of ours
        argon2id_kdf(b"", bytes(SALT_BYTES))
        return
    usual, leave = median(recent_durations), IGNORED_GAP
    spent += share * usual
    while (missing := 1 - spent / usual) > leave:
        began, leave = thread_time(), ACCEPTED_GAP
        argon2id_kdf(b"", bytes(SALT_BYTES), round(MEMORY_KIB * missing))
        spent += thread_time() - began


MAX_PHC_LENGTH = 127
"""Characters of a PHC string that libsodium reads."""

HASH_CHARS = 43
"""In base64 without padding, of the 32 bytes of a hash."""

_MULTI_LANE_HASH = re.compile(r"argon2\$argon2i?d?\$(?:v=[0-9]+\$)?m=([0-9]+),t=([0-9]+),p=(?!1\$)[0-9]+\$.+")
_LIBSODIUM_PHC = re.compile(r"\$argon2id\$v=19\$m=[0-9]+,t=[0-9]+,p=1\$[^,]+")


class Argon2idPasswordHasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet).

    libsodium computes it, in three quarters of the time of argon2-cffi or less, and gives the memory back at once. What
    it does not know (Argon2i, Argon2d, several lanes) argon2-cffi does.
    """

    memory_cost, time_cost, parallelism = MEMORY_KIB, TIME_COST, 1
    salt_entropy = 95  # bits, in as many letters and digits as libsodium takes bytes of salt

    def encode(self, password: str, salt: str) -> str:
        made = run(lambda: argon2id_kdf(password.encode(), salt.encode(), self.memory_cost, self.time_cost))
        return f"{_prefix(self.memory_cost, self.time_cost)}{_base64(salt.encode())}${_base64(made)}"

    def verify(self, password: str, encoded: str) -> bool:
        is_ours = encoded.startswith(_CURRENT) and len(encoded.rpartition("$")[2]) == HASH_CHARS
        several = _MULTI_LANE_HASH.fullmatch(encoded)
        lanes = int(several[1]) * int(several[2]) / (MEMORY_KIB * TIME_COST) if several else 0
        return verify_hardened(lambda: self._verify_hash(password, encoded), is_ours, lanes)

    def cost(self, encoded: str) -> int:
        """Return what verifying costs, in KiB times passes."""
        return self.memory_kib(encoded) * int(self.decode(encoded)["time_cost"])

    def memory_kib(self, encoded: str) -> int:
        """Return how many KiB verifying takes."""
        return int(self.decode(encoded)["memory_cost"])

    def _verify_hash(self, password: str, encoded: str) -> bool:
        phc = encoded.removeprefix("argon2")
        if len(phc) > MAX_PHC_LENGTH or not _LIBSODIUM_PHC.fullmatch(phc):
            return super().verify(password, encoded)
        try:
            return argon2id.verify(phc.encode(), password.encode())
        except InvalidkeyError:
            return False


def _prefix(memory_kib: int, time_cost: int) -> str:
    return f"argon2$argon2id$v=19$m={memory_kib},t={time_cost},p=1$"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


_CURRENT = _prefix(MEMORY_KIB, TIME_COST)
"""How every hash begins that costs what ours do."""
