"""Debian's PostgreSQL with pgBackRest: deploy/pgbackrest.conf with the folders and the port of a test."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.postgres import Postgres
from tests.restore.page import ROOT, page_block, page_line, replace_values

SAMPLE = ROOT / "deploy" / "pgbackrest.conf"
RUN_AS_POSTGRES = "runuser -u postgres -- "


class DebianPostgres(Postgres):
    """One server of Debian's package, set up as docs/point-in-time-recovery.md says, up to the first backup."""

    def install(self) -> Path:
        versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        if not versions or not shutil.which("pgbackrest"):
            need = "These tests need PostgreSQL and pgBackRest: apt-get install postgresql pgbackrest"
            pytest.fail(need, pytrace=False)
        return versions[-1]

    def create(self) -> "DebianPostgres":
        data = str(self.data)
        self.run("initdb", "--auth=trust", "--encoding=utf8", "--data-checksums", "-U", "postgres", "-D", data)
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(page_block("archive_mode"))
        self._configure_pgbackrest()
        self.start()
        self.pgbackrest("stanza-create")
        self.pgbackrest("check")
        return self

    def _configure_pgbackrest(self) -> None:
        self.socket_folder = str(self.folder)
        folders = {f"/var/{name}/pgbackrest": self.folder / f"backup-{name}" for name in ("lib", "spool", "log")}
        for folder in folders.values():
            folder.mkdir()
            shutil.chown(folder, self.owner or os.geteuid())
        configuration = self.folder / "pgbackrest.conf"
        values = {name: str(folder) for name, folder in folders.items()} | {
            "/var/lib/postgresql/15/main": str(self.data),
            "/var/run/postgresql": self.socket_folder,
            "pg1-port=5432": f"pg1-port={self.port}\npg1-user=postgres\nlock-path={self.folder}/locks",
        }
        configuration.write_text(replace_values(SAMPLE.read_text(), values))
        self.environment |= {
            "PGBACKREST_CONFIG": str(configuration),  # archive_command has no option for it
            "PGBACKREST_REPO1_CIPHER_PASS": "a password that is not in the file",
        }

    def pgbackrest(self, words: str, values: Mapping[str, str] | None = None) -> str:
        """Run the command of the page with pgBackRest that begins with these words; return its output."""
        return self._run_line(page_line(f"{RUN_AS_POSTGRES}pgbackrest --stanza=latchkey {words}"), values)

    def back_up_on_monday(self) -> None:
        """Run the differential backup of the page's cron file."""
        self._run_line(page_line("30 2 * * 1-6  postgres"), {"30 2 * * 1-6  postgres": ""})

    def skip_user_ids(self, database: str) -> None:
        """Run the command of the page that skips the ids of users who registered after the target."""
        connect = f"psql -X --host={self.folder} --port={self.port} --username=postgres {database} -c"
        self._run_line(page_line(f"{RUN_AS_POSTGRES}psql"), {"psql -X latchkey -c": connect})

    def _run_line(self, line: str, values: Mapping[str, str] | None) -> str:
        done = subprocess.run(
            replace_values(line.removeprefix(RUN_AS_POSTGRES), values or {}),
            shell=True,
            cwd=self.folder,
            env=self.environment,
            user=self.owner,
            group=self.owner,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
