"""A real PgBouncer process with deploy/pgbouncer.ini, adapted to the ports, accounts and statement mode of the test."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from tests.postgres import NOBODY_UID, free_port
from tests.support.postgres_servers import shared_directory

SAMPLE = Path(__file__).parents[2] / "deploy" / "pgbouncer.ini"
PREPARED_STATEMENTS_SINCE = (1, 21)
"""The first version that supports prepared statements in transaction mode."""


def installed() -> str | None:
    """Return the path of the installed PgBouncer, None without one."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


def find_program() -> str:
    """Return the path of PgBouncer; a test that runs without one fails. Not for use while tests are collected."""
    path = installed()
    if path is None:
        pytest.fail("These tests need PgBouncer: apt-get install pgbouncer", pytrace=False)
    return path


def installed_version(path: str) -> tuple[int, ...]:
    output = subprocess.run([path, "-V"], capture_output=True, text=True, check=True, timeout=10).stdout
    return tuple(int(number) for number in re.findall(r"PgBouncer (\d+)\.(\d+)", output)[0])


class PgBouncer:
    """A PgBouncer for the database of this URL, without passwords, as the PostgreSQL of the tests has none."""

    def __init__(self, url: str, keep_statements: bool) -> None:
        self.folder, self.port, self.keep_statements = shared_directory(), free_port(), keep_statements
        behind = psycopg.conninfo.conninfo_to_dict(url)
        self.name, to = behind["dbname"], f"host=127.0.0.1 port={behind['port']}"
        sample = SAMPLE.read_text()
        for line, replacement in {
            "latchkey = host=127.0.0.1 port=5432 dbname=latchkey": f"{self.name} = {to}",
            "listen_port = 6432": f"listen_port = {self.port}",
            "auth_type = scram-sha-256": "auth_type = any",
            "auth_file = /etc/pgbouncer/userlist.txt": "",
            ";max_prepared_statements": "max_prepared_statements" if keep_statements else ";max_prepared_statements",
        }.items():
            assert line in sample, line
            sample = sample.replace(line, replacement)
        sample = sample.replace("connect_query", "user=postgres connect_query")
        (self.folder / "pgbouncer.ini").write_text(sample)

    @property
    def url(self) -> str:
        prepared = "on" if self.keep_statements else "off"
        return f"postgresql://postgres@127.0.0.1:{self.port}/{self.name}?prepared_statements={prepared}"

    def start(self) -> "PgBouncer":
        owner = NOBODY_UID if os.geteuid() == 0 else None
        if owner:
            os.chown(self.folder, owner, owner)
        command = [find_program(), str(self.folder / "pgbouncer.ini")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, user=owner, group=owner, stdout=log, stderr=log)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            try:
                psycopg.connect(self.url.partition("?")[0], connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return self
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)  # at once; newer versions answer SIGTERM by waiting for every client
        self.process.wait(10)
