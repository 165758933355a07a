"""Argon2id password hasher, and constant time for wrong passwords whatever hash an account has.

A wrong password costs the CPU time of one default hash, so that response times do not allow user enumeration by a
timing attack (docs/decisions/0007). libsodium computes the hashes (docs/decisions/0016), in one thread per process with
low priority, so that other threads get the CPU when they need it.
"""

import base64
import os
import re
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from statistics import median
from time import thread_time
from typing import TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher
from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id

from latchkey.core.exceptions import ServiceUnavailable
from latchkey.hashing.queue import MAX_CONCURRENT
from latchkey.hashing.thread_priority import lower_thread_priority

Result = TypeVar("Result")

MEMORY_KIB, TIME_COST = 19_456, 2
"""Cost of the default hash: KiB of memory, and passes over it (OWASP Password Storage Cheat Sheet)."""

HASH_BYTES, SALT_BYTES = 32, 16

IGNORED_GAP, ACCEPTED_GAP = 0.05, 0.01
"""Shares of the time of one default hash. A first gap below 0.05 is ignored, because default hashes differ by as much
among themselves; above it more is computed until less than 0.01 is missing."""

NOT_COMPUTED_BELOW = 0.5
"""Share of the time of one default hash: a comparison that took less failed before any hash was computed."""

MINIMUM = 0.002
"""Seconds: no CPU computes a default hash in less. Used until a new process has measured one."""

recent_durations: deque[float] = deque(maxlen=9)
"""CPU seconds of the latest default hashes in this process."""


def run(compute: Callable[[], Result]) -> Result:
    """Run a computation in the low-priority thread and return its result; the GIL is free while libraries hash."""
    return _executor(os.getpid()).submit(compute).result()


@cache
def _executor(process: int) -> ThreadPoolExecutor:
    """Return the executor of this process: a forked process inherits the object, but none of its threads."""
    return ThreadPoolExecutor(MAX_CONCURRENT, "hashing", initializer=lower_thread_priority)


def argon2id_kdf(password: bytes, salt: bytes, memory_kib: int = MEMORY_KIB, time_cost: int = TIME_COST) -> bytes:
    """Return the Argon2id hash (RFC 9106) of a password with 16 bytes of salt, with one lane.

    Raises ServiceUnavailable if the machine has not enough memory.
    """
    started_at = thread_time()
    try:
        derived = argon2id.kdf(HASH_BYTES, password, salt, opslimit=time_cost, memlimit=memory_kib * 1024)
    except RuntimeError as error:
        raise ServiceUnavailable from error
    if (memory_kib, time_cost) == (MEMORY_KIB, TIME_COST):
        recent_durations.append(thread_time() - started_at)
    return derived


def verify_hardened(compare: Callable[[], bool], is_default: bool = False, lanes: float = 0) -> bool:
    """Compare a password in the hashing thread; a wrong password costs at least as much as one default hash.

    `is_default`: the stored hash has the default cost. `lanes` is for a hash with several lanes: its cost as a share of
    the default, because its library computes them in threads of its own, which the clock of this thread does not see.
    """
    return run(lambda: _verify_hardened(compare, is_default, lanes))


def _verify_hardened(compare: Callable[[], bool], is_default: bool, lanes: float) -> bool:
    started_at = thread_time()
    matches = compare()
    seconds = thread_time() - started_at
    if is_default and seconds > NOT_COMPUTED_BELOW * (median(recent_durations) if recent_durations else MINIMUM):
        recent_durations.append(seconds)  # a default hash was computed, so nothing is missing
    elif not matches:
        harden_runtime(seconds, lanes)
    return matches


def harden_runtime(seconds: float, share: float = 0) -> None:
    """Hash until the total CPU time equals one default hash, so that all failures take equal time.

    `seconds` is the CPU time used so far, `share` the part of a default hash that other threads computed. How long a
    hash takes depends on the machine, and how passes over little memory compare with passes over much depends on its
    caches. So each step computes the missing part and measures again.
    """
    if not recent_durations:  # a new process has nothing to compare with: one whole hash
        argon2id_kdf(b"", bytes(SALT_BYTES))
        return
    default, ignored = median(recent_durations), IGNORED_GAP
    seconds += share * default
    while (missing := 1 - seconds / default) > ignored:
        started_at, ignored = thread_time(), ACCEPTED_GAP
        argon2id_kdf(b"", bytes(SALT_BYTES), round(MEMORY_KIB * missing))
        seconds += thread_time() - started_at


MAX_PHC_LENGTH = 127
"""Characters: libsodium reads no longer PHC string."""

HASH_CHARS = 43
"""Length of a 32-byte hash in base64 without padding."""

_MULTI_LANE_HASH = re.compile(r"argon2\$argon2i?d?\$(?:v=[0-9]+\$)?m=([0-9]+),t=([0-9]+),p=(?!1\$)[0-9]+\$.+")
_LIBSODIUM_PHC = re.compile(r"\$argon2id\$v=19\$m=[0-9]+,t=[0-9]+,p=1\$[^,]+")


class Argon2idPasswordHasher(Argon2PasswordHasher):
    """Django password hasher for Argon2id: 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet).

    libsodium computes it in three quarters of argon2-cffi's time or less, and returns the memory at once. Variants that
    it does not support (Argon2i, Argon2d, several lanes) are verified by argon2-cffi.
    """

    memory_cost, time_cost, parallelism = MEMORY_KIB, TIME_COST, 1
    salt_entropy = 95  # bits, in as many letters and digits as libsodium takes bytes of salt

    def encode(self, password: str, salt: str) -> str:
        derived = run(lambda: argon2id_kdf(password.encode(), salt.encode(), self.memory_cost, self.time_cost))
        return f"{_prefix(self.memory_cost, self.time_cost)}{_base64(salt.encode())}${_base64(derived)}"

    def verify(self, password: str, encoded: str) -> bool:
        is_default = encoded.startswith(_CURRENT) and len(encoded.rpartition("$")[2]) == HASH_CHARS
        return verify_hardened(lambda: self.verify_hash(password, encoded), is_default, self.lanes(encoded))

    def lanes(self, encoded: str) -> float:
        """Return the cost of a hash with several lanes as a share of the default, 0 for a hash with one."""
        multi_lane = _MULTI_LANE_HASH.fullmatch(encoded)
        return int(multi_lane[1]) * int(multi_lane[2]) / (MEMORY_KIB * TIME_COST) if multi_lane else 0

    def is_imported(self, encoded: str) -> bool:
        """Tell whether this hash was made elsewhere: it has another cost, or a salt that `salt` does not make."""
        own = _SALT_AND_HASH.fullmatch(encoded.removeprefix(_CURRENT))
        return own is None or not _SALT.fullmatch(base64.b64decode(own[1] + "=="))

    def cost(self, encoded: str) -> int:
        """Return the cost of verifying a hash, in KiB times passes."""
        return self.memory_kib(encoded) * int(self.decode(encoded)["time_cost"])

    def memory_kib(self, encoded: str) -> int:
        """Return the memory that verifying a hash takes, in KiB."""
        return int(self.decode(encoded)["memory_cost"])

    def verify_hash(self, password: str, encoded: str) -> bool:
        """Return whether the password matches; runs in the hashing thread."""
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
"""Prefix of every hash with the default cost."""

_SALT_AND_HASH = re.compile(r"([A-Za-z0-9+/]{22})\$[A-Za-z0-9+/]{43}")
_SALT = re.compile(rb"[A-Za-z0-9]{16}")
"""A salt of ours: letters and digits, which are random bytes once in 10 to the power of 10 salts."""
