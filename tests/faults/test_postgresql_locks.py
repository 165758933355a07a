"""A PostgreSQL lock that another connection holds gives 503 in time and delays no other session.

A thread that waits for a lock serves no other request. Where all sessions are locked, there must be a thread for at
least every second client; with fewer, some clients would wait three times in a row, longer than a request may take.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from tests.people import Person, try_login
from tests.server import Server
from tests.support.availability import assert_alive, assert_alive_for, assert_unavailable, send_refresh
from tests.support.refreshing_clients import Load

pytestmark = pytest.mark.fault
HELD = 8.0


@pytest.mark.ledger("H-INF-04")
def test_refresh_of_a_locked_session_returns_503_and_other_sessions_work(
    server: Server, database_url: str, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    load = start_load(server.url)
    with httpx.Client(base_url=server.url, timeout=20) as http:
        bob = Person(http, "bob@example.com").register().login()
        bob.logout()
        bob.login()
        with load, psycopg.connect(database_url) as holder:
            load.wait_for_refreshes(100)
            locked = holder.execute(
                "SELECT user_id FROM latchkey_session WHERE user_id <> %s LIMIT 1 FOR UPDATE", [bob.id]
            )
            assert locked.fetchone()
            until = time.monotonic() + HELD
            while time.monotonic() < until:
                assert bob.me().status_code == 200
                bob.refresh()
                assert_alive(server, within=2)
            holder.rollback()
            load.wait_for_refreshes(100)
        bob.logout()
    assert load.statuses()["503"] >= 1
    assert_outcome(load, server, f"a session locked for {HELD:.0f} s")


def test_refresh_returns_503_while_the_session_table_is_locked(
    server_with_8_threads: Server,
    database_url: str,
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
) -> None:
    load = start_load(server_with_8_threads.url)
    with load, psycopg.connect(database_url) as holder:
        load.wait_for_refreshes(100)
        holder.execute("LOCK TABLE latchkey_session IN ACCESS EXCLUSIVE MODE")
        slowest = assert_alive_for(server_with_8_threads, HELD, within=10)
        holder.rollback()
        load.wait_for_refreshes(100)
    assert load.statuses()["503"] >= 16
    assert_outcome(load, server_with_8_threads, f"all sessions locked for {HELD:.0f} s, slowest /livez {slowest:.1f} s")


SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(8); RETURN new; END';
CREATE TRIGGER slow BEFORE UPDATE ON latchkey_session FOR EACH ROW EXECUTE FUNCTION slow();
"""


def test_refresh_of_a_locked_session_returns_503_within_5_s(
    server: Server, database_url: str, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    load = start_load(server.url, clients=1)
    with psycopg.connect(database_url) as holder:
        holder.execute("SELECT 1 FROM latchkey_session FOR UPDATE")
        assert_unavailable(send_refresh(load.clients[0]))
    assert_outcome(load, server, "one session locked")


def test_refresh_with_a_slow_statement_returns_503_within_6_s(
    server: Server, database_url: str, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    load = start_load(server.url, clients=1)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(SLOW)
        assert_unavailable(send_refresh(load.clients[0]), within=6)
        connection.execute("DROP TRIGGER slow ON latchkey_session")
    assert_outcome(load, server, "one slow statement")


@pytest.mark.ledger("H-INF-04")
def test_frozen_worker_in_a_transaction_holds_its_locks_for_at_most_10_s(server: Server, database_url: str) -> None:
    with (
        httpx.Client(base_url=server.url, timeout=40) as http,
        psycopg.connect(database_url) as holder,
        ThreadPoolExecutor(1) as elsewhere,
    ):
        alice = Person(http, "alice@example.com").register().login()
        holder.execute("SET lock_timeout = '15s'")
        holder.execute("SELECT 1 FROM latchkey_user WHERE id = %s FOR UPDATE", [alice.id])
        signing_in = elsewhere.submit(try_login, http, alice.email)  # it has written its attempts, and waits for alice
        wait_for_another(holder, "wait_event_type = 'Lock'")
        for pid in server.worker_pids():
            os.kill(pid, signal.SIGSTOP)
        holder.commit()
        wait_for_another(holder, "state = 'idle in transaction'")
        began = time.monotonic()
        holder.execute("SELECT 1 FROM latchkey_attempt FOR UPDATE")
        assert 8 < time.monotonic() - began < 12
        holder.commit()
        for pid in server.worker_pids():
            os.kill(pid, signal.SIGCONT)
        assert_unavailable(signing_in.result(20), within=20)
        assert alice.refresh().login().me().status_code == 200


def wait_for_another(connection: psycopg.Connection, state: str) -> None:
    """Wait until one other connection to this database is in that state."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    deadline = time.monotonic() + 2
    while connection.execute(f"{others} AND {state}".encode()).fetchone() != (1,):
        assert time.monotonic() < deadline, state
        connection.execute("SELECT pg_stat_clear_snapshot()")


def test_migrate_waits_for_a_lock_without_a_timeout(server: Server, database_url: str) -> None:
    began = time.monotonic()
    with psycopg.connect(database_url) as holder:
        holder.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
        release = threading.Timer(HELD, holder.rollback)
        release.start()
        assert server.command("migrate").returncode == 0
        release.join()
    assert time.monotonic() - began > HELD
