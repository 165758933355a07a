"""`latchkey serve` as its users run it: real processes, a real socket, a database of its own."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import httpx
import psycopg

from tests.postgres import free_port
from tests.secret_leaks import find_secrets

ADMIN_EMAIL, ADMIN_PASSWORD = "admin@example.com", "an admin's own long password"
UNREACHABLE_SMTP = "smtp://127.0.0.1:9?tls=off&timeout=1"
"""Where mails go, unless a test says otherwise: printed, as in development, their links would be in the log."""
PUBLIC_URL = "http://127.0.0.1:8000"
"""One for all servers of a test, as nodes of one service have: a token of one is for the others, too."""
LATCHKEY = str(Path(sys.executable).with_name("latchkey"))


def create_database(url: str) -> str:
    """Make an empty database on the PostgreSQL of this URL; return its URL."""
    name = f"served_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return f"{url.rpartition('/')[0]}/{name}"


class Server:
    """A server on a free loopback port; its output is kept in a file beside its data."""

    def __init__(
        self, folder: Path, database_url: str = "", workers: int = 2, threads: int = 4, **environment: str
    ) -> None:
        self.folder, self.workers, self.threads, self.port = folder, workers, threads, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "server.log"
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = inherited | {
            "LATCHKEY_DATA_DIR": str(folder / "var"),
            "LATCHKEY_ADMIN_EMAIL": ADMIN_EMAIL,
            "LATCHKEY_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "EMAIL_URL": UNREACHABLE_SMTP,
            "LATCHKEY_PUBLIC_URL": PUBLIC_URL,
            **({"DATABASE_URL": database_url} if database_url else {}),
            **environment,
        }
        self.host = "127.0.0.1"
        self.options: tuple[str, ...] = ()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def spawn(self, *arguments: str, output: int | BinaryIO, stdin: int | None = None) -> subprocess.Popen[bytes]:
        """Start a latchkey command on this server's database, in a process group of its own."""
        return subprocess.Popen(
            [LATCHKEY, *arguments],
            env=self.environment,
            cwd=self.folder,
            stdin=stdin,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def command(
        self, *arguments: str, timeout: float = 60, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a latchkey command on this server's database."""
        return subprocess.run(
            [LATCHKEY, *arguments],
            env=self.environment,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def shell(self, code: str) -> str:
        """Run Python in this server's `latchkey shell`, with User and Session at hand."""
        prelude = "from latchkey.accounts.models import User\nfrom latchkey.sessions.models import Session\n"
        done = self.command("shell", "--no-imports", "-c", prelude + code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def raise_address_limits(self) -> None:
        """Allow 100,000 registrations and failed sign-ins: all clients of a test come from one address."""
        limits = ("REGISTRATIONS_PER_ADDRESS", "FAILURES_PER_ADDRESS")
        self.shell("from constance import config\n" + "\n".join(f"config.{name} = 100_000" for name in limits))

    def start(self, wait: float = 20) -> "Server":
        if "DATABASE_URL" in self.environment:
            migrated = self.command("migrate", "--verbosity", "0")
            assert migrated.returncode == 0, migrated.stderr
        return self.restart(wait)

    def restart(self, wait: float = 20) -> "Server":
        """Start the server again as it is; returns once it answers."""
        at = ("--host", self.host.strip("[]"), "--port", str(self.port))
        size = ("--workers", str(self.workers), "--threads", str(self.threads))
        with self.log.open("ab") as log:
            self.process = self.spawn("serve", *at, *size, *self.options, output=log)
        deadline = time.monotonic() + wait
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            try:
                if httpx.get(f"{self.url}/livez", timeout=1).status_code == 200:
                    return self
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(f"no answer within {wait} s: {self.log.read_text()[-3000:]}")

    def worker_pids(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children]

    def metrics_directory(self) -> Path:
        """Return the folder in which the workers count what /metrics shows."""
        opened = [Path(f"/proc/{pid}/fd") for pid in self.worker_pids()]
        files = {descriptor.readlink() for folder in opened for descriptor in folder.iterdir() if descriptor.exists()}
        (folder,) = {file.parent for file in files if file.name.startswith("counter_")}
        return folder

    def stop(self, sign: signal.Signals = signal.SIGTERM, timeout: float = 40) -> int:
        """End the server as an operator does; return its exit code."""
        assert self.process is not None
        self.process.send_signal(sign)
        return self.process.wait(timeout)

    def kill(self) -> None:
        """End the server and its workers with SIGKILL: what a power cut leaves behind."""
        assert self.process is not None
        with suppress(ProcessLookupError):  # it has ended already
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        assert find_secrets(self.log.read_text()) == []
