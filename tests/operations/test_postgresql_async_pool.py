"""The asynchronous connection pool: the event loop answers refresh, me and verify, with threads as fallback."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import pytest

from latchkey.db.async_pool import ACQUIRE_TIMEOUT, POOL_SIZE, RECONNECT_DELAY
from tests.operations.resetting_proxy import ResettingProxy
from tests.people import Person
from tests.postgres import Postgres
from tests.problems import assert_problem
from tests.server import Server, create_database

LOCK_TIMEOUT = 3.0  # seconds
BACKENDS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
IS_ROTATE = "UPDATE latchkey_session AS s"


@pytest.fixture
def alice(server: Server) -> Iterator[Person]:
    with httpx.Client(base_url=server.url, timeout=20) as http:
        yield Person(http, "alice@example.com").register().login()


@pytest.fixture
def database(server: Server) -> Iterator["psycopg.Connection[tuple[int, ...]]"]:
    with psycopg.connect(server.environment["DATABASE_URL"], autocommit=True) as connection:
        yield connection


@contextmanager
def locked(server: Server, table: str) -> Iterator[None]:
    """Lock the rows of a table, as a stuck transaction would."""
    with psycopg.connect(server.environment["DATABASE_URL"]) as holder:
        holder.execute(f"SELECT FROM {table} FOR UPDATE".encode())
        yield


def number(database: "psycopg.Connection[tuple[int, ...]]", what: str) -> int:
    row = database.execute(f"SELECT count(*) {what}".encode()).fetchone()
    assert row is not None
    return row[0]


def wait_for(database: "psycopg.Connection[tuple[int, ...]]", what: str, least: int) -> None:
    deadline = time.monotonic() + 10
    while number(database, what) < least:
        assert time.monotonic() < deadline, f"fewer than {least}: {what}"


def end_all(database: "psycopg.Connection[tuple[int, ...]]", others: str = "") -> None:
    database.execute(f"SELECT pg_terminate_backend(pid, 5000) {BACKENDS} {others}".encode())


def assert_answered_on_the_event_loop(server: Server, person: Person) -> bool:
    """Assert that `me` is answered while the only thread waits for a lock; return whether it still waits."""
    with locked(server, "latchkey_user"), ThreadPoolExecutor() as pool:
        renaming = pool.submit(person.http.patch, "/api/me/", headers=person.bearer(), json={"username": "alice"})
        time.sleep(0.2)
        with httpx.Client(base_url=server.url, timeout=20) as http:
            assert http.get("/api/me/", headers=person.bearer()).status_code == 200
        return not renaming.done()


def test_me_on_the_event_loop_needs_no_free_thread(server: Server, alice: Person) -> None:
    assert assert_answered_on_the_event_loop(server, alice)


def test_refresh_on_the_event_loop_answers_503_after_the_lock_timeout(server: Server, alice: Person) -> None:
    with locked(server, "latchkey_session"):
        began = time.monotonic()
        assert_problem(alice.try_refresh(), 503, "unavailable")
        assert LOCK_TIMEOUT <= time.monotonic() - began < 1.5 * LOCK_TIMEOUT
    alice.refresh()


def test_async_pool_replaces_closed_connections_without_failed_requests(
    server: Server, alice: Person, database: "psycopg.Connection[tuple[int, ...]]"
) -> None:
    wait_for(database, BACKENDS, POOL_SIZE)
    alice.refresh().refresh()  # a thread runs the first one if the settings are due to be read, the pool the second
    assert alice.http.patch("/api/me/", headers=alice.bearer(), json={"username": "alice"}).status_code == 200
    of_the_pool = f"AND query LIKE '%{IS_ROTATE}%'"  # the last statement of the thread is another one now
    assert number(database, f"{BACKENDS} {of_the_pool}") > 0
    end_all(database, of_the_pool)
    assert alice.refresh().me().status_code == 200
    time.sleep(RECONNECT_DELAY)
    wait_for(database, BACKENDS, POOL_SIZE)
    assert assert_answered_on_the_event_loop(server, alice)


def test_refresh_falls_back_to_a_thread_when_its_async_connection_is_lost(
    server: Server, alice: Person, database: "psycopg.Connection[tuple[int, ...]]"
) -> None:
    people = [Person(httpx.Client(base_url=server.url, timeout=20), alice.email).login() for _ in range(POOL_SIZE + 2)]
    blocked = f"{BACKENDS} AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor() as pool:
        with locked(server, "latchkey_session"):
            refreshing = [pool.submit(person.refresh) for person in people]  # POOL_SIZE of them wait for the lock
            wait_for(database, blocked, POOL_SIZE)
            end_all(database, "AND wait_event_type = 'Lock'")
        for refreshed in refreshing:
            refreshed.result()
    for person in people:
        assert person.me().status_code == 200
        person.http.close()


def test_refresh_that_waits_too_long_for_the_async_pool_runs_in_a_thread_with_a_new_timestamp(
    server: Server, alice: Person, database: "psycopg.Connection[tuple[int, ...]]"
) -> None:
    with httpx.Client(base_url=server.url, timeout=20) as http, ThreadPoolExecutor() as pool:
        first = Person(http, "bob@example.com").register()
        bobs = [first.login(), *(Person(http, first.email).login() for _ in range(POOL_SIZE - 1))]
        with psycopg.connect(server.environment["DATABASE_URL"]) as holder:
            holder.execute("SELECT FROM latchkey_session WHERE user_id = %s FOR UPDATE", [first.id])
            stuck = [pool.submit(bob.try_refresh) for bob in bobs]
            wait_for(database, f"{BACKENDS} AND wait_event_type = 'Lock'", POOL_SIZE)
            refreshing = pool.submit(alice.refresh)
            time.sleep(ACQUIRE_TIMEOUT / 2)
            assert not refreshing.done()
            [meanwhile] = database.execute("SELECT now()")
            refreshing.result()
            assert not any(bob.done() for bob in stuck)
        [rotated_at] = database.execute("SELECT rotated_at FROM latchkey_session WHERE user_id = %s", [alice.id])
        assert rotated_at > meanwhile


def test_refreshes_waiting_for_the_async_pool_get_503_when_the_database_stops(
    server: Server, alice: Person, postgres: Postgres, database: "psycopg.Connection[tuple[int, ...]]"
) -> None:
    people = [Person(httpx.Client(base_url=server.url, timeout=20), alice.email).login() for _ in range(POOL_SIZE + 2)]
    with ThreadPoolExecutor() as pool, suppress(psycopg.OperationalError), locked(server, "latchkey_session"):
        refreshing = [pool.submit(person.try_refresh) for person in people]
        wait_for(database, f"{BACKENDS} AND wait_event_type = 'Lock'", POOL_SIZE)
        postgres.stop("immediate")
        try:
            assert {refreshed.result().status_code for refreshed in refreshing} == {503}
        finally:
            postgres.start()
    for person in people:
        person.http.close()


def test_refresh_does_not_hang_when_its_async_connection_is_reset(postgres: Postgres, tmp_path: Path) -> None:
    with ResettingProxy(postgres.port) as way, ExitStack() as stack:
        url = create_database(postgres.url)
        server = Server(tmp_path, url.replace(f":{postgres.port}/", f":{way.port}/"), workers=1, threads=1).start()
        stack.callback(server.kill)
        http = stack.enter_context(httpx.Client(base_url=server.url, timeout=20))
        alice = Person(http, "alice@example.com").register().login().refresh()
        pool = stack.enter_context(ThreadPoolExecutor())
        with psycopg.connect(url) as holder:
            holder.execute("SELECT FROM latchkey_session FOR UPDATE")
            refreshing = pool.submit(alice.try_refresh)
            time.sleep(0.2)
            way.reset()
        began = time.monotonic()
        assert refreshing.result().status_code in (200, 503)  # 503 where the thread's own connection was reset too
        assert time.monotonic() - began < LOCK_TIMEOUT
        alice.refresh()


def test_event_loop_answers_refresh_me_and_verify_like_django(server: Server, alice: Person) -> None:
    fast: dict[str, httpx.Response] = {}
    slow: dict[str, httpx.Response] = {}
    for accept, answers in (("*/*", fast), ("application/json; q=0.9", slow)):  # the second is answered through Django
        alice.http.headers["Accept"] = accept
        answers["me"], answers["verify"] = alice.me(), alice.http.get("/api/verify/", headers=alice.bearer())
        answers["refresh"] = alice.try_refresh()
        answers["retry"] = alice.try_refresh()  # a retry, which a thread answers
        alice.refresh_token = answers["retry"].json()["refresh_token"]
    for name, answer in fast.items():
        same = [{k: v for k, v in a.headers.items() if k != "date"} for a in (answer, slow[name])]
        assert (answer.status_code, same[0]) == (slow[name].status_code, same[1]), name
        assert list(answer.json() if answer.content else {}) == list(slow[name].json() if slow[name].content else {})
    assert fast["refresh"].json()["refresh_token"] == fast["retry"].json()["refresh_token"]
    assert fast["me"].content == slow["me"].content
