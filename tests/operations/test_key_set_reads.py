"""The cache of the signing key set: when a process reads it, and what other threads get during the read."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from latchkey.core import clock
from latchkey.signing_keys import key_set
from latchkey.signing_keys.rotation import rotate


@pytest.fixture
def key(db: None) -> str:
    """The kid of the only key, with the key set just read."""
    key_set.clear_cache()
    made = rotate("EdDSA", clock.now()).kid
    assert list(key_set.current_keys()) == [made]
    return made


def statements_while_another_thread_asks(age: float) -> int:
    """Get the key set with a cache of this age in seconds, and again during the query, as another thread would."""
    sent = []

    def meanwhile(execute: Callable[..., Any], *arguments: Any) -> Any:
        sent.append(arguments[0])
        if len(sent) == 1:
            assert len(key_set.current_keys()) == 1
        return execute(*arguments)

    key_set._Cache.read_at = time.monotonic() - age
    with connection.execute_wrapper(meanwhile):
        assert len(key_set.current_keys()) == 1
        assert len(key_set.current_keys()) == 1
    return len(sent)


@pytest.mark.parametrize(("age", "statements"), [(0.0, 0), (1.0, 1), (9.0, 1), (10.0, 2), (86400.0, 2)])
def test_current_keys_serves_other_threads_a_cached_key_set_younger_than_10_s_during_a_read(
    key: str, age: float, statements: int
) -> None:
    assert statements_while_another_thread_asks(age) == statements


def test_find_key_reads_the_key_set_for_an_unknown_kid_at_most_once_a_second(key: str) -> None:
    second = rotate("EdDSA", clock.now(), immediately=True).kid
    found = key_set.find_key(second)
    assert found is not None
    assert found.kid == second
    third = rotate("EdDSA", clock.now(), immediately=True).kid
    assert key_set.find_key(third) is None
    key_set._Cache.searched_at -= key_set.CACHE_SECONDS
    assert key_set.find_key(third) is not None
