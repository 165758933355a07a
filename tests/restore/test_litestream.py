"""An SQLite database restored with Litestream signs nobody out who refreshed at most once since the last copy."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.people import Person
from tests.restore.litestream import Litestream, install_litestream
from tests.restore.page import page_block
from tests.server import Server
from tests.support.refreshing_clients import REFRESH_INTERVAL, Load

pytestmark = pytest.mark.ha

MAX_LOSS_SECONDS = 5.0
"""What may be lost on a busy machine; sync-interval in deploy/litestream.yml is 1 s."""

EXAMPLE_TIME = "2026-01-31T12:34:56Z"


@pytest.fixture(scope="module")
def bin_dir() -> Path:
    return install_litestream()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server on the default SQLite database, whatever the database of the run."""
    running = Server(tmp_path)
    yield running.start()
    running.kill()


@pytest.fixture
def litestream(bin_dir: Path, server: Server) -> Iterator[Litestream]:
    running = Litestream(bin_dir, server)
    yield running.start()
    running.kill()


def test_systemd_analyze_accepts_the_unit_of_the_page(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.fail("This test needs systemd-analyze: apt-get install systemd", pytrace=False)
    unit = tmp_path / "latchkey-litestream.service"
    unit.write_text(
        page_block(f"# /etc/systemd/system/{unit.name}").replace("/opt/litestream/bin/litestream", "/bin/true")
    )
    done = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def remove_database(litestream: Litestream) -> None:
    litestream.run("rm -rf /var/lib/latchkey/latchkey.sqlite3*")
    assert not [path for path in litestream.data.iterdir() if "sqlite3" in path.name]


def restore_latest(litestream: Litestream) -> None:
    remove_database(litestream)
    litestream.run("(umask 077; litestream restore -config /etc/litestream.yml /var")
    litestream.run("chown --reference")


def test_lost_database_is_restored_with_litestream_and_replicated_again(
    server: Server,
    litestream: Litestream,
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
) -> None:
    load = start_load(server.url, clients=18)
    with load:
        load.wait_for_refreshes(2000, within=60)
    assert all(client.finish() for client in load.clients)
    litestream.wait_for_replication()
    once, often = load.clients[6:12], load.clients[12:]
    litestream.kill()  # nothing of what follows is copied
    assert all(client.finish() for client in once)
    assert all(client.finish() and client.finish() for client in often)
    server.kill()
    restore_latest(litestream)
    assert oct(litestream.database.stat().st_mode) == "0o100600"
    server.restart()
    litestream.start()
    with load:
        load.wait_for_refreshes(200)
    litestream.wait_for_replication()
    assert_outcome(load, server, "the file lost and restored", beyond_help=often.__contains__)
    assert [client for client in load.clients if client.lost] == often


def test_database_lost_under_load_signs_out_no_device_that_refreshes_every_6_seconds(
    server: Server,
    litestream: Litestream,
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
) -> None:
    load = start_load(server.url, clients=32)
    busy, devices = load.clients[:16], load.clients[16:]
    for device in devices:
        device.interval = MAX_LOSS_SECONDS + 1
    with load:
        while min(len(device.received_tokens) for device in devices) < 4:
            load.wait_for_refreshes(200)
        killed_at = datetime.now(UTC)
        litestream.kill()  # first: it would copy what is left while the server ends
        server.kill()
        restore_latest(litestream)
        with closing(sqlite3.connect(litestream.database)) as connection:
            (newest,) = connection.execute("SELECT max(rotated_at) FROM latchkey_session").fetchone()
        loss = (killed_at - datetime.fromisoformat(newest).replace(tzinfo=UTC)).total_seconds()
        server.restart()
    assert loss < MAX_LOSS_SECONDS
    for device in devices:
        device.interval = REFRESH_INTERVAL
    assert_outcome(load, server, f"the last {loss:.1f} s lost under load", beyond_help=busy.__contains__)


def test_deleted_sessions_are_restored_to_the_second_before_with_litestream(
    server: Server,
    litestream: Litestream,
    start_load: Callable[..., Load],
    assert_outcome: Callable[..., None],
) -> None:
    load = start_load(server.url)
    with load:
        load.wait_for_refreshes(200)
    assert all(client.finish() for client in load.clients)
    litestream.wait_for_replication()
    target = datetime.now(UTC)
    with httpx.Client(base_url=server.url) as http:
        carol = Person(http, "carol@example.com").register()
    assert server.shell("print(Session.objects.all().delete()[0])") == "16"
    litestream.wait_for_replication()
    server.stop()
    litestream.kill()
    remove_database(litestream)
    restore = "(umask 077; litestream restore -config /etc/litestream.yml -timestamp"
    litestream.run(restore, {EXAMPLE_TIME: target.isoformat().replace("+00:00", "Z")})
    litestream.run('python3 -c "import sqlite3')
    server.restart()
    with httpx.Client(base_url=server.url) as http:
        assert Person(http, "dave@example.com").register().id > carol.id  # it is not taken for Carol elsewhere
    with load:
        load.wait_for_refreshes(200)
    assert_outcome(load, server, "all sessions deleted and restored")
