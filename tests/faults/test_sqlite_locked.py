"""An SQLite file that another process has locked gives 503 in time, and reads still work."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.people import Person
from tests.server import Server
from tests.support.availability import assert_alive_for, assert_unavailable, send_refresh
from tests.support.refreshing_clients import Load

pytestmark = pytest.mark.fault
HELD = 8.0


def lock(server: Server) -> sqlite3.Connection:
    path = Path(server.environment["LATCHKEY_DATA_DIR"]) / "latchkey.sqlite3"
    holder = sqlite3.connect(path, timeout=10, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    return holder


def test_sqlite_file_locked_for_8_s_signs_nobody_out(
    server_with_8_threads: Server, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    server = server_with_8_threads
    load = start_load(server.url)
    with load:
        load.wait_for_refreshes(100)
        holder = lock(server)
        slowest = assert_alive_for(server, HELD, within=10)
        holder.close()
        recovery = load.wait_for_refreshes(100)
    assert load.statuses()["503"] >= 8
    assert_outcome(
        load, server, f"a file locked for {HELD:.0f} s, slowest /livez {slowest:.1f} s, recovery {recovery:.1f} s"
    )


def test_refresh_on_a_locked_sqlite_file_returns_503_within_5_s_and_reads_still_work(
    server: Server, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    load = start_load(server.url, clients=1)
    with httpx.Client(base_url=server.url, timeout=20) as http:
        bob = Person(http, load.clients[0].name).login()
        holder = lock(server)
        assert_unavailable(send_refresh(load.clients[0]))
        assert bob.me().status_code == 200
        assert http.get("/readyz").status_code == 200
        holder.close()
        bob.logout()
    assert_outcome(load, server, "one client of a locked file")
