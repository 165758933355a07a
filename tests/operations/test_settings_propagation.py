"""Policy settings in real worker processes: a change reaches each of them in time and survives restarts."""

import time

import httpx
import jwt
import pytest

from tests.operations.conftest import LaunchServer
from tests.people import Person
from tests.server import Server

DEADLINE_SECONDS = 2.0
"""Seconds within which a change takes effect in every process."""
CONNECTIONS = 24
"""Enough to reach both of two workers, except once in eight million runs."""


@pytest.fixture
def server(launch: LaunchServer) -> Server:
    return launch(workers=2, threads=4)


def lifetimes(server: Server, person: Person) -> set[int]:
    """Return the access token lifetimes that the processes issue, seen over many connections."""
    seen = set()
    for _ in range(CONNECTIONS):
        with httpx.Client(base_url=server.url) as person.http:
            claims = jwt.decode(person.refresh().access_token, options={"verify_signature": False})
            seen.add(claims["exp"] - claims["iat"])
    return seen


@pytest.mark.ledger("DJ-CON-2", "DJ-CON-4")
def test_changed_token_lifetime_reaches_every_worker_within_2_s_and_survives_a_restart(server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        alice = Person(http, "alice@example.com").register().login()
        assert lifetimes(server, alice) == {30}
        before = alice.access_token
        done = server.command("constance", "set", "ACCESS_TOKEN_LIFETIME", "600")
        assert done.returncode == 0, done.stderr
        time.sleep(DEADLINE_SECONDS)  # the documented time: from now on no process issues another lifetime
        assert lifetimes(server, alice) == {600}
        claims = jwt.decode(before, options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == 30
    server.stop()
    server.restart()
    assert lifetimes(server, alice) == {600}


@pytest.mark.ledger("DJ-CON-2")
def test_unreadable_policy_settings_keep_their_values_until_a_restart_resets_them(server: Server) -> None:
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
