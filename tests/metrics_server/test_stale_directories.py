"""A server that was killed leaves its folder of counters behind; the next one takes it away, and no other's."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import Server


@pytest.fixture
def two_servers(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """Two servers of their own that share a folder for temporary files; none of them is started."""
    servers = tuple(Server(tmp_path / name, workers=1, TMPDIR=str(tmp_path)) for name in ("one", "two"))
    yield servers[0], servers[1]
    for server in servers:
        if server.process:
            server.kill()


def folders(tmp_path: Path) -> set[Path]:
    return set(tmp_path.glob("latchkey-metrics-*"))


def test_the_folder_of_a_killed_server_goes_when_the_next_one_starts(
    two_servers: tuple[Server, Server], tmp_path: Path
) -> None:
    one, two = two_servers
    two.start()
    kept = folders(tmp_path)
    one.start()
    (left,) = folders(tmp_path) - kept
    one.kill()
    assert left in folders(tmp_path)
    one.restart()
    assert left not in folders(tmp_path)
    assert kept < folders(tmp_path)
    assert len(folders(tmp_path)) == 2


def test_a_folder_that_cannot_be_told_to_be_abandoned_stays(two_servers: tuple[Server, Server], tmp_path: Path) -> None:
    somebody_elses = tmp_path / "latchkey-metrics-without-a-lock"
    somebody_elses.mkdir()
    two_servers[0].start()
    assert somebody_elses.is_dir()


def test_what_others_put_into_the_folder_for_temporary_files_holds_up_no_start(
    two_servers: tuple[Server, Server], tmp_path: Path
) -> None:
    trap = tmp_path / "latchkey-metrics-trap"
    trap.mkdir()
    os.mkfifo(trap / "lock")  # whoever opens it waits for somebody who writes
    two_servers[0].start()
