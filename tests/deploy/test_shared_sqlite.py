"""An SQLite database on a network file system, which several nodes could share, is rejected in production."""

from pathlib import Path

import pytest

from latchkey.checks import sqlite_on_network
from latchkey.conf.database import network_file_system, parse_database_url, read_mounts

MOUNTS = """\
/dev/vda / ext4 rw 0 0
proc /proc proc rw 0 0
filer:/export /srv nfs4 rw 0 0
/dev/vdb /srv/local xfs rw 0 0
//filer/share /mnt/with\\040space cifs rw 0 0
alice@host: /home/alice/remote fuse.sshfs rw 0 0
/dev/vdc /twice ext4 rw 0 0
filer:/other /twice nfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/latchkey/latchkey.sqlite3", ""),
        ("/srv/latchkey.sqlite3", "nfs4"),
        ("/srv/local/latchkey.sqlite3", ""),
        ("/srv-elsewhere/latchkey.sqlite3", ""),
        ("/mnt/with space/x/latchkey.sqlite3", "cifs"),
        ("/home/alice/remote/latchkey.sqlite3", "fuse.sshfs"),
        ("/twice/latchkey.sqlite3", "nfs"),
    ],
)
def test_sqlite_on_a_network_file_system_reports_e007(path: str, kind: str) -> None:
    reported = [
        (problem.id, kind in problem.msg)
        for problem in sqlite_on_network(parse_database_url(f"sqlite:///{path}"), MOUNTS)
    ]
    assert reported == ([("latchkey.E007", True)] if kind else [])


def test_postgresql_on_a_network_file_system_reports_nothing() -> None:
    assert list(sqlite_on_network(parse_database_url("postgresql:///srv?host=/srv"), MOUNTS)) == []


def test_read_mounts_parses_the_mount_table_of_this_machine(tmp_path: Path) -> None:
    assert network_file_system(tmp_path, "") == ""
    assert network_file_system(Path("/proc/self"), read_mounts()) == ""
