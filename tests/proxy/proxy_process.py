"""The process of a real reverse proxy: start, readiness and stop."""

import shutil
import subprocess
import time
from pathlib import Path
from typing import ClassVar, Self

import pytest

from tests.postgres import free_port
from tests.proxy.certificate import create_certificate
from tests.support.http_connection import Connection

TIMEOUT = 20
"""Seconds until it listens, and until it stops."""


class ProxyProcess:
    """A proxy with a folder, two ports and a self-signed certificate."""

    program: ClassVar[str]
    package: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.folder, self.http, self.https = folder, free_port(), free_port()
        folder.mkdir(parents=True)
        self.certificate = folder / "certificate.pem"
        create_certificate(self.certificate, folder / "key.pem")

    def arguments(self) -> list[str]:
        """Return the command line arguments."""
        raise NotImplementedError

    def start(self) -> Self:
        program = shutil.which(self.program) or shutil.which(self.program, path="/usr/sbin")
        if program is None:
            pytest.fail(f"These tests need {self.program}: apt-get install {self.package}", pytrace=False)
        log = self.folder / "output.log"
        with log.open("ab") as output:
            command = [program, *self.arguments()]
            home = {"HOME": str(self.folder), "PATH": "/usr/sbin:/usr/bin:/bin"}
            self.process = subprocess.Popen(command, cwd=self.folder, env=home, stdout=output, stderr=output)
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            assert self.process.poll() is None, log.read_text()
            try:
                Connection(self.https).socket.close()
            except OSError:
                time.sleep(0.02)
            else:
                return self
        raise AssertionError(log.read_text())

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(TIMEOUT)
