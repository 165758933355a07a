"""One machine of the cluster: a folder in which all of its processes work, so that they can be killed and frozen."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.high_availability import programs
from tests.high_availability.processes import processes_in
from tests.postgres import free_port
from tests.support.postgres_servers import frozen


@dataclass
class Machine:
    """One machine. Its services have a port to listen on and, for other machines, the port of a proxy."""

    name: str
    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    proxied: dict[str, int] = field(default_factory=dict)
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for service in ("etcd", "etcd_peer", "rest", "postgresql"):
            self.ports[service], self.proxied[service] = free_port(), free_port()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def rest(self) -> str:
        return f"http://127.0.0.1:{self.ports['rest']}"

    def state(self) -> dict[str, Any]:
        """Return what Patroni says of this machine; nothing if it does not answer."""
        try:
            answer: dict[str, Any] = httpx.get(f"{self.rest}/patroni", timeout=2).json()
        except (httpx.TransportError, ValueError):
            return {}
        return answer

    def is_primary(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.options(f"{self.rest}/primary", timeout=2).status_code == 200
        return False

    def start(self, service: str, command: list[str], environment: dict[str, str]) -> None:
        self.processes[service] = programs.start(command, self.folder / service, environment)

    def kill(self, service: str = "") -> None:
        """Kill all processes of this machine, or those of one service: etcd, patroni or data (PostgreSQL)."""
        folder = self.folder / service if service else self.folder
        deadline = time.monotonic() + 10
        while pids := processes_in(folder):
            assert time.monotonic() < deadline, f"{folder}: {pids}"
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for process in self.processes.values():
                process.poll()
            time.sleep(0.02)

    @contextmanager
    def frozen(self, service: str) -> Iterator[None]:
        """Freeze the processes of a service by SIGSTOP."""
        with frozen(processes_in(self.folder / service)):
            yield
