"""Stale metrics directories: the next start removes those of killed servers, and no others."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import Server


@pytest.fixture
def two_servers(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """Two servers that share a folder for temporary files; neither is started."""
    servers = tuple(Server(tmp_path / name, workers=1, TMPDIR=str(tmp_path)) for name in ("one", "two"))
    yield servers[0], servers[1]
    for server in servers:
        if server.process:
            server.kill()


def folders(tmp_path: Path) -> set[Path]:
    return set(tmp_path.glob("latchkey-metrics-*"))


def test_metrics_directory_of_a_killed_server_is_removed_at_the_next_start(
    two_servers: tuple[Server, Server], tmp_path: Path
) -> None:
    one, two = two_servers
    two.start()
    kept = folders(tmp_path)
    one.start()
    (stale,) = folders(tmp_path) - kept
    one.kill()
    assert stale in folders(tmp_path)
    one.restart()
    assert stale not in folders(tmp_path)
    assert kept < folders(tmp_path)
    assert len(folders(tmp_path)) == 2


def test_metrics_directory_without_a_lock_file_is_kept(two_servers: tuple[Server, Server], tmp_path: Path) -> None:
    unlocked = tmp_path / "latchkey-metrics-without-a-lock"
    unlocked.mkdir()
    two_servers[0].start()
    assert unlocked.is_dir()


def test_metrics_directory_with_a_fifo_as_lock_does_not_block_the_start(
    two_servers: tuple[Server, Server], tmp_path: Path
) -> None:
    trap = tmp_path / "latchkey-metrics-trap"
    trap.mkdir()
    os.mkfifo(trap / "lock")  # open() blocks until another process writes
    two_servers[0].start()
