"""A fail-over to a replica signs nobody out if the replica is at most one rotation behind."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.postgres import Postgres
from tests.server import Server, create_database
from tests.support.postgres_servers import serve_on, shared_directory, stop_afterwards
from tests.support.refreshing_clients import Load

pytestmark = pytest.mark.fault


@pytest.fixture
def primary_replica_server(tmp_path: Path) -> Iterator[tuple[Postgres, Postgres, Server]]:
    """A primary, its replica, and a server that is configured with both."""
    primary = Postgres(shared_directory()).create().start()
    name = create_database(primary.url).rpartition("/")[2]
    with stop_afterwards(primary):
        replica = primary.replica(shared_directory())
        hosts = f"127.0.0.1:{primary.port},127.0.0.1:{replica.port}"
        url = f"postgresql://postgres@{hosts}/{name}?target_session_attrs=read-write"
        with stop_afterwards(replica), serve_on(url, tmp_path) as server:
            yield primary, replica, server


def test_postgresql_fail_over_under_load_signs_nobody_out(
    primary_replica_server: tuple[Postgres, Postgres, Server],
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
) -> None:
    primary, replica, server = primary_replica_server
    with start_load(server.url) as load:
        load.wait_for_refreshes(200)
        primary.stop("immediate")
        replica.promote()
        recovery = load.wait_for_refreshes(200)
    assert_outcome(load, server, f"a fail-over under load, recovery {recovery:.1f} s")


def test_postgresql_fail_over_to_a_replica_one_rotation_behind_signs_nobody_out(
    primary_replica_server: tuple[Postgres, Postgres, Server],
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
) -> None:
    primary, replica, server = primary_replica_server
    load = start_load(server.url, clients=18)
    with load:
        load.wait_for_refreshes(100)
    assert all(client.finish() for client in load.clients)
    replica.wait_for_replay(primary)
    replica.stop_replication()
    once, often = load.clients[6:12], load.clients[12:]
    assert all(client.finish() for client in once)
    assert all(client.finish() and client.finish() for client in often)
    primary.stop("immediate")
    replica.promote()
    with load:
        load.wait_for_refreshes(200)
    assert_outcome(load, server, "a fail-over, 6 level, 6 behind by one, 6 by two", beyond_help=often.__contains__)


@pytest.mark.ledger("H-INF-03")
def test_server_switches_from_a_read_only_primary_to_the_promoted_replica(
    primary_replica_server: tuple[Postgres, Postgres, Server],
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
) -> None:
    primary, replica, server = primary_replica_server
    with start_load(server.url) as load:
        load.wait_for_refreshes(200)
        primary.sql("ALTER SYSTEM SET default_transaction_read_only = on")
        primary.sql("SELECT pg_reload_conf()")
        load.wait_for_responses("503", 16)
        replica.wait_for_replay(primary)
        replica.promote()
        recovery = load.wait_for_refreshes(200)
    assert_outcome(load, server, f"a switch-over with the old primary up, recovery {recovery:.1f} s")
