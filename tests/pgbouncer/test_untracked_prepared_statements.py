"""A pooler that keeps no track of prepared statements, and a DATABASE_URL that does not say so."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.people import Person
from tests.pgbouncer.pgbouncer_process import PgBouncer
from tests.server import Server
from tests.support.availability import assert_unavailable

pytestmark = pytest.mark.pgbouncer
CLIENTS, ROUNDS = 8, 25


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    """A server that believes that it may prepare statements, with one worker."""
    pgbouncer = PgBouncer(database_url, keep_statements=False).start()
    server = Server(tmp_path, database_url, workers=1, threads=4)
    assert server.command("migrate", "--verbosity", "0").returncode == 0
    server.environment["DATABASE_URL"] = pgbouncer.url.partition("?")[0]
    yield server.restart()
    server.kill()
    pgbouncer.stop()


def use(server: Server, number: int) -> Counter[int]:
    """Use a session in every way, and return the statuses; every 200 is compared with what it should be."""
    statuses: Counter[int] = Counter()
    with httpx.Client(base_url=server.url, timeout=60) as http:
        person = Person(http, f"person{number}@example.com").register().login()
        for _ in range(ROUNDS):
            answers = [
                person.try_refresh(),
                http.get("/api/sessions/", headers=person.bearer()),
                http.get("/api/me/events/", headers=person.bearer()),
                person.me(),
            ]
            for answer in answers:
                statuses[answer.status_code] += 1
                if answer.status_code == 503:
                    assert_unavailable(answer)
            if answers[0].status_code == 200:
                person.refresh_token = answers[0].json()["refresh_token"]
                person.access_token = answers[0].json()["access_token"]
            if answers[3].status_code == 200:
                assert answers[3].json()["email"] == person.email
    return statuses


def test_lost_prepared_statements_cost_a_503_at_most_and_are_given_up(server: Server) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        first = sum(pool.map(lambda number: use(server, number), range(CLIENTS)), Counter())
        then = sum(pool.map(lambda number: use(server, CLIENTS + number), range(CLIENTS)), Counter())
    log = server.log.read_text()
    assert set(first) <= {200, 503}, first
    assert first[503] <= 2 * 4, first  # one for each thread, if they all were in a statement
    assert set(then) == {200}, then
    assert log.count("database.prepared_statements_off") == 1
    assert "Traceback" not in log
