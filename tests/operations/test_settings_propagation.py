"""The settings page against real processes: a change reaches all of them, and outlives them."""

import time
from collections.abc import Iterator

import httpx
import jwt
import pytest

from tests.operations.conftest import LaunchServer
from tests.people import Person
from tests.server import Server

DEADLINE_SECONDS = 2.0
"""Seconds in which a change has to be in force in every process."""
CONNECTIONS = 24
"""So many that none of two workers is left out, but for one time in eight million."""


@pytest.fixture
def server(launch: LaunchServer) -> Iterator[Server]:
    return launch(workers=2, threads=4)


def lifetimes(server: Server, person: Person) -> set[int]:
    """Return the lifetimes of access tokens that the processes give out, asked over many connections."""
    seen = set()
    for _ in range(CONNECTIONS):
        with httpx.Client(base_url=server.url) as person.http:
            claims = jwt.decode(person.refresh().access_token, options={"verify_signature": False})
            seen.add(claims["exp"] - claims["iat"])
    return seen


@pytest.mark.ledger("DJ-CON-2", "DJ-CON-4")
def test_a_new_lifetime_reaches_every_process_in_time_and_outlives_them_all(server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        alice = Person(http, "alice@example.com").register().login()
        assert lifetimes(server, alice) == {30}
        before = alice.access_token
        done = server.command("constance", "set", "ACCESS_TOKEN_LIFETIME", "600")
        assert done.returncode == 0, done.stderr
        time.sleep(DEADLINE_SECONDS)  # the promise itself: from now on, nobody gives out anything else
        assert lifetimes(server, alice) == {600}
        claims = jwt.decode(before, options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == 30
    server.stop()
    server.restart()
    assert lifetimes(server, alice) == {600}


@pytest.mark.ledger("DJ-CON-2")
def test_settings_that_cannot_be_read_stay_as_they_were_and_are_the_defaults_after_a_restart(server: Server) -> None:
    assert server.command("constance", "set", "ACCESS_TOKEN_LIFETIME", "600").returncode == 0
    with httpx.Client(base_url=server.url) as http:
        alice = Person(http, "alice@example.com").register().login()
        time.sleep(DEADLINE_SECONDS)
        assert lifetimes(server, alice) == {600}
    server.shell("from django.db import connection; connection.cursor().execute('DROP TABLE constance_constance')")
    time.sleep(DEADLINE_SECONDS)
    assert lifetimes(server, alice) == {600}
    server.stop()
    server.restart()
    assert lifetimes(server, alice) == {30}
    with httpx.Client(base_url=server.url) as http:
        alice.http = http
        assert alice.login().me().status_code == 200
