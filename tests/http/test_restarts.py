"""A restart of the server, also in another time zone, keeps sessions and answers the requests in progress."""

import signal
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.server import Server
from tests.support.http_connection import Connection, post

ALIVE = "print(*Session.objects.values_list('expires_at', flat=True))"


@pytest.mark.ledger("H-INF-10", "REG-KEYCLOAK-02")
def test_server_stop_answers_all_pending_requests_and_keeps_every_rotation(server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        people = [Person(http, f"person{number}@example.com").register().login() for number in range(10)]
        for person in people:
            person.refresh().refresh()
    with ExitStack() as opened:
        pending = [(person, opened.enter_context(Connection(server.port, 30))) for person in people for _ in range(5)]
        for number, (person, connection) in enumerate(pending):
            connection.send(_login(person) if number % 5 else _refresh(person))
        first = pending[0][1].read_response()
        assert server.stop(signal.SIGTERM) == 0
        answers = [first, *(connection.read_response() for _, connection in pending[1:])]
    assert [answer.status_code for answer in answers] == [200] * 50
    server.restart()
    with httpx.Client(base_url=server.url) as http:
        for (person, _), answer in zip(pending, answers, strict=True):
            person.http = http
            assert person.try_refresh(answer.json()["refresh_token"]).status_code == 200
        for person in people:
            assert_problem(person.try_refresh(person.spent[0]), 401, "invalid_refresh_token")


def _refresh(person: Person) -> bytes:
    return post("/api/refresh/", {"refresh_token": person.refresh_token})


def _login(person: Person) -> bytes:
    return post("/api/login/", {"email": person.email, "password": person.password})


@pytest.mark.ledger("H-TIME-04")
def test_server_restart_in_another_time_zone_keeps_sessions_and_lifetimes(server: Server) -> None:
    server.stop()
    ends: list[str] = []
    tokens: list[str] = []
    for zone in ("America/New_York", "Pacific/Kiritimati"):
        server.environment["TZ"] = zone
        server.restart()
        with httpx.Client(base_url=server.url) as http:
            if not tokens:
                alice = Person(http, "alice@example.com").register().login()
            else:
                alice.http = http
                alice.refresh()
            assert alice.me().status_code == 200
            claims = jwt.decode(alice.access_token, options={"verify_signature": False})
            assert abs(claims["iat"] - time.time()) < 5
            assert claims["exp"] - claims["iat"] == 30
            tokens.append(alice.access_token)
        ends.append(server.shell(ALIVE))
        server.stop()
        left = datetime.fromisoformat(ends[-1]) - datetime.now(UTC)
        assert timedelta(days=30) - timedelta(minutes=1) < left <= timedelta(days=30)
    assert len(set(tokens)) == 2
