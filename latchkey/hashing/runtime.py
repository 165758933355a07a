"""A wrong guess costs the same at every account, whatever hash it has (decisions 7 and 16)."""

from collections import deque
from collections.abc import Callable
from statistics import median
from time import thread_time

from nacl.pwhash import argon2id

from latchkey.core.exceptions import Unavailable
from latchkey.hashing.executor import hashed

MEMORY, PASSES = 19_456, 2
"""KiB, and times that Argon2id goes over them: what a hash of ours costs (OWASP Password Storage Cheat Sheet)."""

HASH_BYTES, SALT_BYTES = 32, 16

NOISE, NEAR = 0.05, 0.01
"""Of one of our hashes: less than the first is not made up for, as ours differ by it; else less than the second is."""

DAMAGED = 0.5
"""Of one of our hashes: one that took less was refused before it was computed."""

LEAST = 0.002
"""Seconds: no processor computes one of ours in less. It stands for them in a new process."""

lately: deque[float] = deque(maxlen=9)
"""Seconds that a processor took for each of the latest hashes of ours in this process."""


def computed(password: bytes, salt: bytes, memory: int = MEMORY, passes: int = PASSES) -> bytes:
    """Return what Argon2id makes of a password and 16 bytes of salt; memory is in KiB.

    Raises Unavailable where the machine has none left.
    """
    began = thread_time()
    try:
        made = argon2id.kdf(HASH_BYTES, password, salt, opslimit=passes, memlimit=memory * 1024)
    except RuntimeError as error:
        raise Unavailable from error
    if (memory, passes) == (MEMORY, PASSES):
        lately.append(thread_time() - began)
    return made


def compared(compare: Callable[[], bool], is_ours: bool = False, lanes: float = 0) -> bool:
    """Compare a password in the slot for hashing; a wrong one costs what one of our hashes does, or more.

    lanes is for a hash of several: what it costs, of one of ours. Its library has them computed by threads of its own,
    which the clock of this thread does not see.
    """
    return hashed(lambda: _compared(compare, is_ours, lanes))


def _compared(compare: Callable[[], bool], is_ours: bool, lanes: float) -> bool:
    began = thread_time()
    matched = compare()
    spent = thread_time() - began
    if is_ours and spent > DAMAGED * (median(lately) if lately else LEAST):
        lately.append(spent)  # and nothing is missing, however long the latest took
    elif not matched:
        make_up_for(spent, lanes)
    return matched


def make_up_for(spent: float, share: float = 0) -> None:
    """Compute what is missing to the time of one hash of ours; spent is in seconds, and share of one of ours.

    Time is that of the processor in this thread, and ours is what it took lately: how long a hash takes depends on the
    machine, and how passes over little memory compare with passes over much, on its caches. So each step computes the
    part that is missing and looks again.
    """
    if not lately:  # in a new process: that was one hash of ours
        computed(b"", bytes(SALT_BYTES))
        return
    usual, leave = median(lately), NOISE
    spent += share * usual
    while (missing := 1 - spent / usual) > leave:
        began, leave = thread_time(), NEAR
        computed(b"", bytes(SALT_BYTES), round(MEMORY * missing))
        spent += thread_time() - began
