"""Parallel logins at the session cap, while the sessions that the cap ends are still refreshing."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.fixtures.races import OpenRace, race_server
from tests.server import Server
from tests.support.simultaneous import login_action, session_id_from

pytestmark = pytest.mark.race
ROUNDS = 200
CAP = 5
SIGN_INS = 7  # more than the cap, so that some end others


@pytest.fixture(scope="module")
def capped(make_server: Callable[[], Server]) -> Iterator[OpenRace]:
    """A server with a low SESSIONS_PER_USER, set before its start so that both workers have it."""
    server = make_server()
    assert server.command("migrate", "--verbosity", "0").returncode == 0
    server.shell(f"from constance import config; config.SESSIONS_PER_USER = {CAP}")
    with race_server(server) as opens:
        yield opens


def test_parallel_logins_keep_the_session_cap_and_the_newest_sessions(capped: OpenRace) -> None:
    with capped(f"sign-in x{SIGN_INS} at the cap of {CAP} against refresh x{CAP}") as on:
        alice = on.person("alice.cap").register()
        old: list[str] = []
        for _ in range(ROUNDS):
            tabs = on.copies(alice, SIGN_INS + CAP)
            refreshes = [partial(tab.try_refresh, token) for tab, token in zip(tabs[SIGN_INS:], old, strict=False)]
            outcomes = on.start(*(login_action(tab) for tab in tabs[:SIGN_INS]), *refreshes)
            answers = [outcome.answer for outcome in outcomes[:SIGN_INS]]
            assert {answer.status_code for answer in answers} == {200}
            pairs = {session_id_from(answer.json()["access_token"]): answer.json() for answer in answers}
            left = set(on.operator("sessions", alice.id))
            assert len(left) <= CAP
            on.lost += CAP - len(left & set(pairs))  # all sessions of this round are newer than earlier ones
            for session, pair in pairs.items():
                assert alice.me(pair["access_token"]).status_code == (200 if session in left else 401)
            old = [pair["refresh_token"] for session, pair in pairs.items() if session in left]
