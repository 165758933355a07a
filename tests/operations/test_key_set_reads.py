"""When a process reads the key ring, and what its other threads do meanwhile."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from latchkey.core import clock
from latchkey.signing_keys import key_set as ring
from latchkey.signing_keys.rotation import rotate


@pytest.fixture
def key(db: None) -> str:
    """The id of the one key of the ring, which was just read."""
    ring.clear_cache()
    made = rotate("EdDSA", clock.now()).kid
    assert list(ring.current_keys()) == [made]
    return made


def statements_while_another_thread_asks(age: float) -> int:
    """Ask for a ring of this age, in seconds, and once more in the middle of the query, as another thread would."""
    sent = []

    def meanwhile(execute: Callable[..., Any], *arguments: Any) -> Any:
        sent.append(arguments[0])
        if len(sent) == 1:
            assert len(ring.current_keys()) == 1
        return execute(*arguments)

    ring._Cache.read_at = time.monotonic() - age
    with connection.execute_wrapper(meanwhile):
        assert len(ring.current_keys()) == 1
        assert len(ring.current_keys()) == 1
    return len(sent)


@pytest.mark.parametrize(("age", "statements"), [(0.0, 0), (1.0, 1), (9.0, 1), (10.0, 2), (86400.0, 2)])
def test_other_threads_go_on_with_a_recent_ring_and_with_no_old_one(key: str, age: float, statements: int) -> None:
    assert statements_while_another_thread_asks(age) == statements


def test_an_unknown_id_has_the_ring_read_once_a_second(key: str) -> None:
    second = rotate("EdDSA", clock.now(), immediately=True).kid
    found = ring.find_key(second)
    assert found is not None
    assert found.kid == second
    third = rotate("EdDSA", clock.now(), immediately=True).kid
    assert ring.find_key(third) is None
    ring._Cache.searched_at -= ring.CACHE_SECONDS
    assert ring.find_key(third) is not None
