"""A PostgreSQL restored with pgBackRest signs nobody out who refreshed at most once after the target."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.restore.debian_postgres import DebianPostgres
from tests.restore.page import page_line
from tests.server import Server, create_database
from tests.support.postgres_servers import serve_on, shared_directory, stop_afterwards
from tests.support.refreshing_clients import Load

pytestmark = pytest.mark.ha

EXAMPLE_TARGET = "2026-01-31 12:34:56+00"


@pytest.fixture
def postgres_server(tmp_path: Path) -> Iterator[tuple[DebianPostgres, Server]]:
    """Debian's PostgreSQL with a stanza, and a server on it."""
    postgres = DebianPostgres(shared_directory())
    with stop_afterwards(postgres):
        url = create_database(postgres.create().url)
        with serve_on(url, tmp_path) as server:
            yield postgres, server


def next_second(postgres: DebianPostgres) -> str:
    """Return the time of the server in the next second: a target has to be later than the second of the backup."""
    second = postgres.sql("SELECT date_trunc('second', now()) + interval '1 second'")
    postgres.wait_for(f"SELECT now() > '{second}'", 5)
    return postgres.sql("SELECT now()")


def restore(postgres: DebianPostgres, words: str, values: dict[str, str]) -> None:
    """Run the restore of the page that begins with these words, and wait until the server accepts writes."""
    postgres.pgbackrest(words, values)
    postgres.start()
    postgres.wait_for("SELECT NOT pg_is_in_recovery()", 60)


def test_deleted_sessions_are_restored_to_the_second_before_with_pgbackrest(
    postgres_server: tuple[DebianPostgres, Server],
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
) -> None:
    postgres, server = postgres_server
    load = start_load(server.url, clients=18)
    with load:
        load.wait_for_refreshes(100)
        postgres.pgbackrest("--type=full backup")
        load.wait_for_refreshes(100)
    assert all(client.finish() for client in load.clients)
    target = next_second(postgres)
    once, often = load.clients[6:12], load.clients[12:]
    assert all(client.finish() for client in once)
    assert all(client.finish() and client.finish() for client in often)
    database = server.environment["DATABASE_URL"].rpartition("/")[2]
    postgres.sql("DELETE FROM latchkey_session", database)
    server.stop()
    postgres.stop()
    restore(postgres, "--delta --type=time", {EXAMPLE_TARGET: target})
    server.restart()
    with load:
        load.wait_for_refreshes(200)
    assert_outcome(load, server, "all sessions deleted and restored", beyond_help=often.__contains__)
    assert [client for client in load.clients if client.lost] == often


def test_lost_disk_is_restored_with_pgbackrest_up_to_the_last_archived_segment(
    postgres_server: tuple[DebianPostgres, Server],
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
) -> None:
    postgres, server = postgres_server
    postgres.pgbackrest("--type=full backup")
    load = start_load(server.url, clients=18)
    with load:
        load.wait_for_refreshes(100)
        postgres.back_up_on_monday()
        load.wait_for_refreshes(100)
    assert all(client.finish() for client in load.clients)
    segment = postgres.sql("SELECT pg_walfile_name(pg_switch_wal())")
    postgres.wait_for(f"SELECT last_archived_wal >= '{segment}' FROM pg_stat_archiver", 30)
    once, often = load.clients[6:12], load.clients[12:]
    assert all(client.finish() for client in once)
    assert all(client.finish() and client.finish() for client in often)
    server.kill()
    postgres.stop("immediate")
    shutil.rmtree(postgres.data)
    postgres.data.mkdir(mode=0o700)
    shutil.chown(postgres.data, postgres.owner or os.geteuid())
    restore(postgres, "--delta restore", {})
    server.restart()
    with load:
        load.wait_for_refreshes(200)
    assert_outcome(load, server, "the disk lost and restored", beyond_help=often.__contains__)
    assert [client for client in load.clients if client.lost] == often


def test_restore_revives_what_was_ended_since_until_all_sessions_are_ended(
    postgres_server: tuple[DebianPostgres, Server],
) -> None:
    postgres, server = postgres_server
    postgres.pgbackrest("--type=full backup")
    server.raise_address_limits()
    with httpx.Client(base_url=server.url) as http:
        alice, bob = (Person(http, f"{name}@example.com").register().login() for name in ("alice", "bob"))
        target = next_second(postgres)
        alice.logout()
        change = {"current_password": bob.password, "new_password": "another long password"}
        assert http.post("/api/password/change/", json=change, headers=bob.bearer()).status_code == 200
        for number in range(40):  # a sequence of PostgreSQL is up to 32 ahead after a recovery
            Person(http, f"user{number}@example.com").register()
        carol = Person(http, "carol@example.com").register().login()
    server.stop()
    postgres.stop()
    restore(postgres, "--delta --type=time", {EXAMPLE_TARGET: target})
    postgres.skip_user_ids(server.environment["DATABASE_URL"].rpartition("/")[2])
    server.restart()
    with httpx.Client(base_url=server.url) as http:
        alice.http = bob.http = carol.http = http
        assert alice.refresh().me().status_code == 200  # signed in again, although she signed out
        assert bob.login().me().status_code == 200  # with the password that he replaced
        assert_problem(carol.try_refresh(), 401, "invalid_refresh_token")
        assert Person(http, "dave@example.com").register().id > carol.id  # it is not taken for Carol elsewhere
        assert server.command(*page_line("latchkey end_sessions --yes").split()[1:]).returncode == 0
        for person in (alice, bob):
            assert_problem(person.me(), 401, "invalid_token")
            assert_problem(person.try_refresh(), 401, "invalid_refresh_token")
            assert person.login().me().status_code == 200
