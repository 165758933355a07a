"""A server under test: started on its core, asked what it has cost, stopped."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from bench import processes
from bench.adapter import Request
from bench.http_client import HttpConnection

INHERITED = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
BOOT_SECONDS = 30


class BenchmarkError(Exception):
    """A system cannot be measured; the sentence says why."""


class SystemUnavailable(BenchmarkError):
    """A system cannot run on this machine; that is no failure of it, nor of the run."""


def run_command(command: list[str], environment: dict[str, str], folder: Path) -> None:
    """Run a command to its end; raise Unable with the last of what it said where it fails."""
    done = subprocess.run(
        command, env=INHERITED | environment, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)[:120]} failed: {(done.stderr or done.stdout).strip()[-400:]}")


class ServerProcess:
    """A server with its descendants in a process group of their own; what it says is kept in a file."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path, port: int, log: Path) -> None:
        self.command, self.environment, self.folder, self.port, self.log = command, environment, folder, port, log
        self.boot_seconds = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, probe: Request, cores: set[int] = processes.SERVER_CORES) -> "ServerProcess":
        """Start it on these cores, and take the time to its first answer."""
        began = time.monotonic()
        with self.log.open("wb") as log, processes.cpu_affinity(cores):
            self.process = subprocess.Popen(
                self.command,
                env=INHERITED | self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while not self.is_up(probe):
            if self.process.poll() is not None or time.monotonic() > began + BOOT_SECONDS:
                self.stop()
                raise BenchmarkError(f"it does not come up: {self.log.read_text(errors='replace').strip()[-400:]}")
            time.sleep(0.005)
        self.boot_seconds = time.monotonic() - began
        return self

    def is_up(self, probe: Request) -> bool:
        with suppress(OSError):
            return HttpConnection(self.port).request(probe).status < 500
        return False

    def ensure_running(self) -> None:
        """Raise Unable where it has ended by itself, or by somebody else's hand."""
        if self.process.poll() is not None:
            said = self.log.read_text(errors="replace").strip()[-400:]
            raise BenchmarkError(f"its server has ended with exit code {self.process.returncode}: {said}")

    def cpu_time_ns(self) -> int:
        """Return the nanoseconds of CPU of all its processes."""
        return processes.cpu_time_ns(self.process.pid)

    def memory(self) -> dict[str, float]:
        return processes.memory(self.process.pid)

    def stop(self) -> None:
        """End it as an operator does, and with force after five seconds."""
        if self.process is None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, sign)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
                break
        with suppress(ProcessLookupError):  # what its main process has left behind
            os.killpg(self.process.pid, signal.SIGKILL)
