"""A wrong guess costs the same at every account, whatever hash it has (decisions 7 and 16)."""

from collections import deque
from collections.abc import Callable
from statistics import median
from time import thread_time

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
