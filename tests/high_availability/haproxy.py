"""A real HAProxy process with deploy/ha/haproxy.cfg, in which only ports change."""

import os
import re
import subprocess
import time
from pathlib import Path

from tests.high_availability.cluster import DEPLOY
from tests.high_availability.machine import Machine
from tests.high_availability.programs import find_program
from tests.postgres import free_port
from tests.support.http_connection import Connection


class HAProxy:
    """The HAProxy of one Latchkey node, in front of these machines."""

    def __init__(self, folder: Path, machines: list[Machine]) -> None:
        self.folder, self.port = folder, free_port()
        folder.mkdir(parents=True)
        text = (DEPLOY / "haproxy.cfg").read_text()
        assert "bind 127.0.0.1:5000" in text
        text = text.replace("bind 127.0.0.1:5000", f"bind 127.0.0.1:{self.port}")
        if os.geteuid():  # only root can become another user
            text = re.sub(r" +(user|group) haproxy\n", "", text)
        for machine in machines:
            server = rf"server {machine.name} 10\.0\.0\.\d+:5432 check port 8008"
            ports = machine.ports
            direct = f"server {machine.name} 127.0.0.1:{ports['postgresql']} check port {ports['rest']}"
            text, replaced = re.subn(server, direct, text)
            assert replaced == 1, machine.name
        (folder / "haproxy.cfg").write_text(text)

    def start(self) -> "HAProxy":
        command = [find_program("haproxy", "haproxy"), "-db", "-f", str(self.folder / "haproxy.cfg")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            try:
                Connection(self.port).socket.close()
            except OSError:
                time.sleep(0.05)
            else:
                return self
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
