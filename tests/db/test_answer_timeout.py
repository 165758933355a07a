"""The time limit of an answer, without a database: psycopg's generators, which wait for a socket."""

from collections.abc import Generator
from time import monotonic

import pytest

from latchkey.db.postgresql.connection import AnswerTimeout, bounded

READABLE = 1


def answer_after(waits: int) -> Generator[int, int, str]:
    """Wait as often for the socket as psycopg does while an answer arrives in parts, and return it."""
    for _ in range(waits):
        while not (yield READABLE):
            pass
    return "answer"


def resume(generator: Generator[int, int, str], ready: int) -> str | None:
    """Resume a generator; return what it returns, None while it waits."""
    try:
        generator.send(ready)
    except StopIteration as end:
        return str(end.value)
    return None


def test_answer_before_the_deadline_is_returned() -> None:
    generator = bounded(answer_after(2), monotonic() + 60)
    assert next(generator) == READABLE
    assert resume(generator, 0) is None
    assert resume(generator, READABLE) is None
    assert resume(generator, READABLE) == "answer"


def test_answer_that_has_arrived_when_the_deadline_is_over_is_returned() -> None:
    """As after the process itself was frozen, or waited for the processor."""
    generator = bounded(answer_after(1), monotonic() - 1)
    next(generator)
    assert resume(generator, READABLE) == "answer"


@pytest.mark.parametrize("ready", [0, READABLE], ids=["silent", "dripping"])
def test_answer_that_has_not_arrived_whole_at_the_deadline_is_a_timeout(ready: int) -> None:
    generator = bounded(answer_after(3), monotonic() - 1)
    next(generator)
    with pytest.raises(AnswerTimeout):
        generator.send(ready)
