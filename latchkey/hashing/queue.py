"""The hashing queue: how many requests that hash a password run and wait in one process (OWASP ASVS 15.2.2).

A flood of sign-ins must not starve the users who are signed in. So the server gives requests that hash a thread and a
queue of their own, and the hashing itself runs with low priority (argon2.py).
"""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])

MAX_CONCURRENT = 1
"""Passwords hashed at the same time in one process; each takes 19 MiB, and one core for 14 ms.

With 2, `bench/flood.py` measured no more sign-ins per second on two cores, and doubled p99s of other requests.
"""

MAX_QUEUED = 64
"""Requests that may wait for hashing in one process, 2 to 3 s at most; further ones get 503."""


def hashes_password(*methods: str) -> Callable[[View], View]:
    """Mark a view function whose HTTP methods hash a password: their requests wait in the hashing queue.

    Class-based views say it by an attribute of the same name.
    """

    def mark(view: View) -> View:
        view.hashes_password = frozenset(methods)  # type: ignore[attr-defined]  # as Django marks csrf_exempt
        return view

    return mark
