"""A person with an authenticator app and a verified address, on a service that allows recoveries after a week."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import time_machine

from tests.factor_recovery.steps import Owner, set_up_app, verify_address
from tests.people import Person

DAYS = 7


@pytest.fixture
def past_clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands still sixty days before the present, until it is shifted.

    The clock of the database cannot be moved, and a recovery is due only when it says so, too.
    """
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=60)
    with time_machine.travel(start, tick=False) as stopped:
        yield stopped


@pytest.fixture
def owner(past_clock: time_machine.Traveller, http: httpx.Client, set_policy: Callable[..., None]) -> Owner:
    """The owner of an account with an authenticator app, who is signed in; recoveries take a week."""
    person = Person(http, "alice@example.com").register()
    verify_address(person)
    set_policy(second_factor="required", recovery_delay=DAYS)
    app = set_up_app(person)
    set_policy(second_factor="optional")
    return Owner(person, app)
