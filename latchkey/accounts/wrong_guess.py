"""A wrong guess costs the same at every account, whatever hash it has (decisions 7 and 16)."""

from collections import deque
from collections.abc import Callable
from statistics import median
from time import thread_time

from nacl.pwhash import argon2id

from latchkey.limits.hashing import hashed

MEMORY, PASSES = 19_456, 2
"""KiB, and times that Argon2id goes over them: what a hash of ours costs (OWASP Password Storage Cheat Sheet)."""

HASH_BYTES, SALT_BYTES = 32, 16

NOISE, NEAR = 0.05, 0.01
"""Of one of our hashes: less than the first is not made up for, as ours differ by it; else less than the second is."""

lately: deque[float] = deque(maxlen=9)
"""Seconds that a processor took for each of the latest hashes of ours in this process."""


def computed(password: bytes, salt: bytes, memory: int = MEMORY, passes: int = PASSES) -> bytes:
    """Return what Argon2id makes of a password and 16 bytes of salt; memory is in KiB."""
    began = thread_time()
    made = argon2id.kdf(HASH_BYTES, password, salt, opslimit=passes, memlimit=memory * 1024)
    if (memory, passes) == (MEMORY, PASSES):
        lately.append(thread_time() - began)
    return made


def compared(compare: Callable[[], bool], is_ours: bool = False) -> bool:
    """Compare a password in the slot for hashing; a wrong one costs what one of our hashes does, or more."""
    return hashed(lambda: _compared(compare, is_ours))


def _compared(compare: Callable[[], bool], is_ours: bool) -> bool:
    began = thread_time()
    matched = compare()
    spent = thread_time() - began
    if not matched:
        make_up_for(spent)
    elif is_ours:
        lately.append(spent)
    return matched


def make_up_for(spent: float) -> None:
    """Compute what is missing to the time of one hash of ours; spent is in seconds.

    Time is that of the processor in this thread, and ours is what it took lately: how long a hash takes depends on the
    machine, and how passes over little memory compare with passes over much, on its caches. So each step computes the
    part that is missing and looks again.
    """
    if not lately:
        computed(b"", bytes(SALT_BYTES))
    usual, leave = median(lately), NOISE
    while (missing := 1 - spent / usual) > leave:
        began, leave = thread_time(), NEAR
        computed(b"", bytes(SALT_BYTES), round(MEMORY * missing))
        spent += thread_time() - began
