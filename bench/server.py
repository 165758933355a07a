"""Process of a server under test: start it on its core, measure it, stop it."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from bench import processes
from bench.adapter import Request
from bench.http_client import HttpConnection

INHERITED = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
BOOT_SECONDS = 30


class BenchmarkError(Exception):
    """A system cannot be measured; the message is the reason."""


class SystemUnavailable(BenchmarkError):
    """A system cannot run on this machine, for lack of a program; this is not a failure of the run."""


class MeasuredServer(Protocol):
    """What a measurement needs of a server: its port on loopback, its state, and its CPU time in nanoseconds."""

    port: int

    def ensure_running(self) -> None: ...

    def cpu_time_ns(self) -> int: ...


def run_command(command: list[str], environment: dict[str, str], folder: Path) -> None:
    """Run a command; raise BenchmarkError with the end of its output if it fails."""
    done = subprocess.run(
        command, env=INHERITED | environment, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)[:120]} failed: {(done.stderr or done.stdout).strip()[-400:]}")


class ServerProcess:
    """A server with its descendants in its own process group; its output goes to a file."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path, port: int, log: Path) -> None:
        self.command, self.environment, self.folder, self.port, self.log = command, environment, folder, port, log
        self.boot_seconds = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, probe: Request, cores: set[int] = processes.SERVER_CORES) -> "ServerProcess":
        """Start the server on these cores, and measure the time to its first response."""
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
                raise BenchmarkError(
                    f"the server does not start: {self.log.read_text(errors='replace').strip()[-400:]}"
                )
            time.sleep(0.005)
        self.boot_seconds = time.monotonic() - began
        return self

    def is_up(self, probe: Request) -> bool:
        with suppress(OSError):
            return HttpConnection(self.port).request(probe).status < 500
        return False

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def ensure_running(self) -> None:
        """Raise BenchmarkError if the server has ended."""
        assert self.process is not None
        if self.process.poll() is not None:
            said = self.log.read_text(errors="replace").strip()[-400:]
            raise BenchmarkError(f"the server ended with exit code {self.process.returncode}: {said}")

    def cpu_time_ns(self) -> int:
        """Return the CPU time of all its processes in nanoseconds."""
        return processes.cpu_time_ns(self.pid)

    def memory(self) -> dict[str, float]:
        return processes.memory(self.pid)

    def stop(self) -> None:
        """Stop the server with SIGTERM, and with SIGKILL after five seconds."""
        if self.process is None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, sign)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
                break
        with suppress(ProcessLookupError):  # children that are still there
            os.killpg(self.process.pid, signal.SIGKILL)
