"""Backup and restore, with the commands of docs/operations.md."""

import os
import subprocess
import sys
from pathlib import Path

from tests.postgres import embedded_installation
from tests.server import Server
from tests.support.postgres_roles import PAGE


def back_up(server: Server) -> None:
    """Back up the database while the server runs."""
    run(server, "pg_dump" if "DATABASE_URL" in server.environment else "rm -f new.backup;")


def restore(server: Server) -> None:
    """Restore the backup while the server is stopped."""
    run(server, "pg_restore" if "DATABASE_URL" in server.environment else "rm -f var")


def run(server: Server, beginning: str) -> None:
    """Run the first command of the page's section on backups that begins with this text; it has to succeed."""
    done = attempt(server, beginning)
    assert done.returncode == 0, done.stderr


def attempt(server: Server, beginning: str) -> subprocess.CompletedProcess[str]:
    """Run the first command of the page's section on backups that begins with this text."""
    section = PAGE.read_text().partition("\n## Backups")[2]
    line = next(line for line in section.splitlines() if line.startswith(beginning))
    programs = [str(Path(sys.executable).parent), str(embedded_installation() / "bin"), os.environ["PATH"]]
    environment = server.environment | {"PATH": os.pathsep.join(programs)}
    return subprocess.run(
        line, shell=True, cwd=server.folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
