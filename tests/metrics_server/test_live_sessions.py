"""The gauge of live sessions: exact while there are few, an estimate above that, with bounded work."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from latchkey.core import clock
from latchkey.metrics_server.live_sessions import clear_cache, estimate, live_sessions
from latchkey.sessions.models import ID_BITS, Session
from tests.people import Person

MANY, SAMPLE = 3_000, 500


@pytest.fixture
def live_count(alice: Person) -> int:
    """3,000 sessions of alice, a third of which have expired; returns the number of live ones."""
    now, chance = clock.now(), Random(1)
    ended, version = now - timedelta(seconds=1), Session.objects.get(user_id=alice.id).credential_version
    Session.objects.bulk_create(
        Session(
            id=chance.getrandbits(ID_BITS),
            selector=number,
            digest=b"",
            next_digest=b"",
            user_id=alice.id,
            credential_version=version,
            created_at=now,
            rotated_at=now,
            expires_at=ended if number % 3 == 0 else now + timedelta(days=1),
        )
        for number in range(MANY)
    )
    return Session.objects.live(now).count()


def test_estimate_counts_few_live_sessions_exactly(alice: Person, bob: Person) -> None:
    assert estimate() == 2
    bob.logout()
    assert estimate() == 1
    Session.objects.update(expires_at=clock.now())
    assert estimate() == 0


def test_estimate_of_many_live_sessions_is_within_three_standard_errors(live_count: int) -> None:
    assert live_count > MANY / 2
    assert estimate() == live_count
    error = SAMPLE**-0.5
    assert abs(estimate(SAMPLE) - live_count) < 3 * error * live_count


def test_live_sessions_gauge_takes_two_statements_and_is_cached(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    clear_cache()
    assert len(statements(live_sessions)) == 2
    assert statements(live_sessions) == []
    clear_cache()
