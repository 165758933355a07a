"""A real Caddy that runs deploy/Caddyfile, changed in the lines that its operator changes, on ports of its own."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.postgres import free_port
from tests.proxy.nginx import certify
from tests.wire.connection import Connection

SAMPLE = Path(__file__).parents[2] / "deploy" / "Caddyfile"


class Caddy:
    """A proxy in front of the Latchkey on this port; its certificate is signed by itself."""

    def __init__(self, folder: Path, node: int) -> None:
        self.folder, self.http, self.https = folder, free_port(), free_port()
        folder.mkdir(parents=True)
        self.certificate = folder / "certificate.pem"
        certify(self.certificate, folder / "key.pem")
        sample = SAMPLE.read_text()
        for line, ours in {
            "reverse_proxy 127.0.0.1:8000": f"reverse_proxy 127.0.0.1:{node}",
            "auto_https disable_redirects": "auto_https disable_redirects\n\tadmin off",
            "http://auth.example.com {": f"http://auth.example.com:{self.http} {{",
            "https://auth.example.com {": (
                f"https://auth.example.com:{self.https} {{\n\ttls {self.certificate} {folder}/key.pem"
            ),
        }.items():
            assert line in sample, line
            sample = sample.replace(f"\n{line}", f"\n{ours}").replace(f"\t{line}", f"\t{ours}")
        (folder / "Caddyfile").write_text(sample)

    def start(self) -> "Caddy":
        program = shutil.which("caddy")
        if program is None:
            pytest.fail("These tests need Caddy: apt-get install caddy", pytrace=False)
        log = self.folder / "output.log"
        command = [program, "run", "--config", str(self.folder / "Caddyfile"), "--adapter", "caddyfile"]
        with log.open("ab") as output:
            home = {"HOME": str(self.folder), "PATH": os.environ["PATH"]}
            self.process = subprocess.Popen(command, cwd=self.folder, env=home, stdout=output, stderr=output)
        deadline = time.monotonic() + 20
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
        self.process.wait(20)
