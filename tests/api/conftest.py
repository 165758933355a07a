"""What the tests of the endpoints share."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands at a whole second until it is shifted; ask for it before any person."""
    with time_machine.travel(datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC), tick=False) as stopped:
        yield stopped
