"""Fixtures: an attacker at another IP address, and a clock that stands still."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import time_machine

from tests.fixtures.clients import ClientFactory
from tests.people import Person


@pytest.fixture
def mallory(from_address: ClientFactory, alice: Person) -> Person:
    """An attacker at another IP address who guesses alice's password."""
    return replace(alice, http=from_address("192.0.2.66"))


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-11-22T12:00:00Z", tick=False) as traveller:
        yield traveller
