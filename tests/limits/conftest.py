"""Guessers, and the addresses that they come from."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest
import time_machine

from tests.people import Person
from tests.races.conftest import make_server, race

__all__ = ["make_server", "race"]
ClientFactory = Callable[[str], httpx.Client]


@pytest.fixture(scope="session")
def server_environment() -> dict[str, str]:
    """The usual environment alone: passwords cost what they cost."""
    return {}


@pytest.fixture
def from_address(http: httpx.Client) -> Iterator[ClientFactory]:
    """A client of the same service that comes from this network address."""
    from latchkey.wsgi import application

    with ExitStack() as clients:

        def client(address: str) -> httpx.Client:
            transport = httpx.WSGITransport(app=application, raise_app_exceptions=False, remote_addr=address)
            return clients.enter_context(httpx.Client(transport=transport, base_url="http://127.0.0.1:8000"))

        yield client


@pytest.fixture
def mallory(from_address: ClientFactory, alice: Person) -> Person:
    """Somebody elsewhere, who guesses at alice's password."""
    return replace(alice, http=from_address("192.0.2.66"))


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-11-22T12:00:00Z", tick=False) as traveller:
        yield traveller
