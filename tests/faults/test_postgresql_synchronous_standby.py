"""A synchronous standby that falls silent costs 503s in time while it is silent, and signs nobody out."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from latchkey.conf.database import ANSWER_TIMEOUT
from tests.postgres import Postgres
from tests.server import Server, create_database
from tests.support.availability import assert_alive_for, assert_unavailable, send_refresh
from tests.support.postgres_servers import frozen_server, serve_on, shared_directory, stop_afterwards
from tests.support.refreshing_clients import Load

pytestmark = pytest.mark.fault

SILENT_SECONDS = 2 * ANSWER_TIMEOUT + 1
"""How long the standby is silent: a request that waits for it reaches its time limit twice."""

PROMISED_SECONDS = 12.0
"""The longest answer, as docs/operations.md promises."""


@pytest.fixture
def start_cluster(tmp_path: Path) -> Iterator[Callable[..., tuple[Postgres, list[Postgres], Server]]]:
    """Return a function that starts a primary, so many standbys of which one has to confirm a commit, and a server."""
    with ExitStack() as stack:

        def start(standbys: int, wal_sender_timeout: str) -> tuple[Postgres, list[Postgres], Server]:
            primary = Postgres(shared_directory()).create().start()
            stack.enter_context(stop_afterwards(primary))
            url = create_database(primary.url)
            replicas = [primary.replica(shared_directory()) for _ in range(standbys)]
            stack.enter_context(stop_afterwards(*replicas))
            primary.sql(f"ALTER SYSTEM SET wal_sender_timeout = '{wal_sender_timeout}'")
            primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'")
            primary.sql("SELECT pg_reload_conf()")
            primary.wait_for(f"SELECT count(*) = {standbys} FROM pg_stat_replication WHERE sync_state = 'quorum'", 10)
            return primary, replicas, stack.enter_context(serve_on(url, tmp_path))

        yield start


@pytest.mark.parametrize("wal_sender_timeout", ["5s", "60s"], ids=["recommended", "default"])
def test_silent_synchronous_standby_costs_503s_in_time_and_signs_nobody_out(
    start_cluster: Callable[..., tuple[Postgres, list[Postgres], Server]],
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
    wal_sender_timeout: str,
) -> None:
    primary, (standby,), server = start_cluster(1, wal_sender_timeout)
    load = start_load(server.url)
    for client in load.clients:
        client.max_response_seconds = PROMISED_SECONDS
    with load:
        load.wait_for_refreshes(200)
        with frozen_server(standby):
            load.wait_for_responses("503", 1)
            committed = load.statuses()["200"]
            assert_alive_for(server, SILENT_SECONDS, within=5)
            assert_unavailable(send_refresh(load.clients[0]), within=PROMISED_SECONDS)
            assert load.statuses()["200"] == committed, "a refresh was answered that no standby has"
            assert (primary.sql("SELECT count(*) FROM pg_stat_replication") == "1") == (wal_sender_timeout == "60s")
        recovery = load.wait_for_refreshes(200)
    assert not load.statuses()["none"], load
    assert_outcome(
        load, server, f"a silent standby, wal_sender_timeout {wal_sender_timeout}, recovery {recovery:.1f} s"
    )


def test_second_synchronous_standby_confirms_commits_while_the_first_is_silent(
    start_cluster: Callable[..., tuple[Postgres, list[Postgres], Server]],
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
) -> None:
    _, standbys, server = start_cluster(2, "5s")
    with start_load(server.url) as load:
        for standby in standbys:
            load.wait_for_refreshes(200)
            with frozen_server(standby):
                assert_alive_for(server, SILENT_SECONDS / 2, within=5)
                load.wait_for_refreshes(200)
    assert set(load.statuses()) == {"200"}, load
    assert_outcome(load, server, "one of two standbys silent")
