"""What bounds the cost of hashing: a flood of sign-ins must not starve whoever is signed in (OWASP ASVS 15.2.2).

The front gives these requests a thread of their own and a queue, so that they never hold one of the others'; and the
hashing itself runs at low priority, so that whoever needs the processor for a moment gets it.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from latchkey.hashing.thread_priority import lower_thread_priority

Result = TypeVar("Result")

POST_PATHS = frozenset(
    {
        "/api/register",
        "/api/login",
        "/api/password/change",
        "/api/password/reset/confirm",
        "/api/email/change",
        "/reset-password",
        "/admin/login",
    }
)
"""Where somebody can have a password hashed, by POST; without the last slash."""

DELETE_PATHS = frozenset({"/api/me"})
"""Where somebody can by DELETE, because a password is asked for again."""

MAX_CONCURRENT = 1
"""Passwords hashed at once in one process: 19 MiB each, and a core for a seventieth of a second.

With 2, `bench/flood.py` measured no more sign-ins a second on two cores, and p99s of the others twice as long.
"""

MAX_QUEUED = 64
"""How many may wait in one process, two or three seconds at most; whoever comes then is turned away with 503."""


def run(compute: Callable[[], Result]) -> Result:
    """Return what this computes, in a thread of low priority; the interpreter is free meanwhile."""
    return _executor(os.getpid()).submit(compute).result()


@cache
def _executor(process: int) -> ThreadPoolExecutor:
    """Return the threads of this process: a fork inherits the pool, but none of its threads."""
    return ThreadPoolExecutor(MAX_CONCURRENT, "hashing", initializer=lower_thread_priority)
