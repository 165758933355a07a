"""Three machines with etcd, Patroni and PostgreSQL by the files of deploy/ha, with other ports and folders."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.high_availability import programs
from tests.high_availability.machine import Machine

DEPLOY = programs.ROOT / "deploy" / "ha"
NAMES = ("db1", "db2", "db3")
PASSWORD = "a password of the drills"


def read_environment(name: str) -> dict[str, str]:
    """Return the variables of a file of deploy/ha that systemd reads."""
    lines = (DEPLOY / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


class Cluster:
    """The three machines and the network between them."""

    def __init__(self, folder: Path, synchronous: bool = True) -> None:
        self.folder, self.synchronous = folder, synchronous
        self.machines = [Machine(name, folder / name) for name in NAMES]
        self.etcd = programs.find_program("etcd", "etcd-server")
        self.bin_dir = programs.postgresql_programs()
        self.modules = programs.patroni_modules(folder)
        for machine in self.machines:
            machine.folder.mkdir()
            if programs.OWNER:
                os.chown(machine.folder, programs.OWNER, programs.OWNER)
            shutil.copy(DEPLOY / "move-etcd-leader.sh", machine.folder)
            (machine.folder / "patroni.yml").write_text(self.patroni_file(machine))
        self.network = self._start_network()

    def patroni_file(self, machine: Machine) -> str:
        """Return deploy/ha/patroni.yml for a machine on loopback without a watchdog."""
        text = (DEPLOY / "patroni.yml").read_text()
        for line, replacement in {
            "10.0.0.0/24": "127.0.0.1/32",
            "unix_socket_directories: /var/run/postgresql": f"unix_socket_directories: {machine.folder}",
            "mode: required": "mode: off",
            "/etc/patroni/move-etcd-leader.sh": f"{machine.folder}/move-etcd-leader.sh",
            "max_connections: 400": "max_connections: 200",
        }.items():
            assert line in text, line
            text = text.replace(line, replacement)
        return text if self.synchronous else text.replace("synchronous_mode: quorum", "synchronous_mode: off")

    def start(self) -> "Cluster":
        for machine in self.machines:
            self.start_etcd(machine)
        for machine in self.machines:
            self.start_patroni(machine)
        self.wait_until_healthy(90)
        return self

    def start_etcd(self, machine: Machine) -> None:
        urls = {name: f"http://127.0.0.1:{port}" for name, port in machine.ports.items()}
        to_others = {name: f"http://127.0.0.1:{port}" for name, port in machine.proxied.items()}
        members = [f"{one.name}=http://127.0.0.1:{one.proxied['etcd_peer']}" for one in self.machines]
        environment = read_environment("etcd.env") | {
            "ETCD_NAME": machine.name,
            "ETCD_DATA_DIR": str(machine.folder / "etcd" / "data"),
            "ETCD_LISTEN_PEER_URLS": urls["etcd_peer"],
            "ETCD_INITIAL_ADVERTISE_PEER_URLS": to_others["etcd_peer"],
            "ETCD_LISTEN_CLIENT_URLS": urls["etcd"],
            "ETCD_ADVERTISE_CLIENT_URLS": to_others["etcd"],
            "ETCD_INITIAL_CLUSTER": ",".join(members),
        }
        machine.start("etcd", [self.etcd], environment)

    def start_patroni(self, machine: Machine) -> None:
        command = [programs.base_python(), "-m", "patroni", str(machine.folder / "patroni.yml")]
        machine.start("patroni", command, self.environment(machine))

    def environment(self, machine: Machine) -> dict[str, str]:
        """Return the environment of Patroni: deploy/ha/patroni.env with ports, folders and passwords of the drills."""
        written = read_environment("patroni.env")
        passwords = {name: PASSWORD for name in written if name.endswith("_PASSWORD")}
        return (
            written
            | passwords
            | {
                "PYTHONPATH": str(self.modules),
                "PATRONI_NAME": machine.name,
                "PATRONI_SUPERUSER_USERNAME": programs.owner_name(),  # whom peer authentication lets in
                "PATRONI_RESTAPI_LISTEN": f"127.0.0.1:{machine.ports['rest']}",
                "PATRONI_RESTAPI_CONNECT_ADDRESS": f"127.0.0.1:{machine.proxied['rest']}",
                "PATRONI_POSTGRESQL_LISTEN": f"127.0.0.1:{machine.ports['postgresql']}",
                "PATRONI_POSTGRESQL_CONNECT_ADDRESS": f"127.0.0.1:{machine.proxied['postgresql']}",
                "PATRONI_POSTGRESQL_DATA_DIR": str(machine.data),
                "PATRONI_POSTGRESQL_BIN_DIR": str(self.bin_dir),
                "ETCDCTL_ENDPOINTS": f"http://127.0.0.1:{machine.ports['etcd']}",
                "PATRONI_ETCD3_HOSTS": ",".join(f"127.0.0.1:{one.proxied['etcd']}" for one in self.machines),
            }
        )

    def patronictl(self, *arguments: str) -> str:
        """Run patronictl as an operator does on the first machine."""
        machine = self.machines[0]
        command = [str(programs.PATRONI / "bin" / "patronictl"), "-c", str(machine.folder / "patroni.yml"), *arguments]
        environment = self.environment(machine) | {"PYTHONPATH": ""}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def cut_off(self, machine: Machine) -> Iterator[None]:
        """Cut a machine off from the other two; clients still reach it."""
        self._command("cut", machine)
        try:
            yield
        finally:
            self._command("heal", machine)

    def etcd_leader(self) -> Machine:
        """Return the machine whose etcd is the leader of the three."""
        for machine in self.machines:
            answer = httpx.post(f"http://127.0.0.1:{machine.ports['etcd']}/v3/maintenance/status", json={}).json()
            if answer["leader"] == answer["header"]["member_id"]:
                return machine
        raise AssertionError("etcd has no leader")

    def move_etcd_leader(self, target: Machine) -> None:
        """Make the etcd of this machine the leader of the three."""
        leader = self.etcd_leader()
        if leader is not target:
            status = f"http://127.0.0.1:{target.ports['etcd']}/v3/maintenance/status"
            member = httpx.post(status, json={}).json()["header"]["member_id"]
            url = f"http://127.0.0.1:{leader.ports['etcd']}/v3/maintenance/transfer-leadership"
            httpx.post(url, json={"targetID": member}).raise_for_status()
            assert self.etcd_leader() is target

    def wait_for_another_primary(self, former: Machine, within: float = 60) -> None:
        self._wait_for(lambda: any(one.is_primary() for one in self.machines if one is not former), within)

    def wait_for_another_etcd_leader(self, former: Machine, within: float = 10) -> None:
        self._wait_for(lambda: self.etcd_leader() is not former, within)

    def _wait_for(self, condition: Callable[[], bool], within: float) -> float:
        """Wait until a condition holds; return the seconds that it took."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < within, f"not within {within} s: {self.describe()}"
            time.sleep(0.2)
        return time.monotonic() - began

    def primary(self) -> Machine:
        (machine,) = [one for one in self.machines if one.is_primary()]
        return machine

    def standbys(self) -> list[Machine]:
        return [one for one in self.machines if not one.is_primary()]

    def is_healthy(self) -> bool:
        """Tell whether there is one primary, and two standbys stream from it that commits wait for."""
        states = [one.state() for one in self.machines]
        primaries = [one for one in states if one.get("role") == "primary" and one.get("state") == "running"]
        if len(primaries) != 1 or "timeline" not in primaries[0]:
            return False
        standbys = [one for one in states if one.get("replication_state") == "streaming"]
        synchronous = sum(one.get("quorum_standby", False) for one in standbys)
        same_timeline = {one.get("timeline") for one in states} == {primaries[0]["timeline"]}
        return len(standbys) == 2 and synchronous == 2 * int(self.synchronous) and same_timeline

    def wait_until_healthy(self, within: float = 60) -> float:
        """Wait until the cluster is healthy; return the seconds that it took."""
        return self._wait_for(self.is_healthy, within)

    def repair(self) -> float:
        """Start what was killed; return the seconds until the cluster is healthy."""
        for machine in self.machines:
            if machine.processes["etcd"].poll() is not None:
                self.start_etcd(machine)
            if machine.processes["patroni"].poll() is not None:
                self.start_patroni(machine)
        return self.wait_until_healthy()

    def describe(self) -> str:
        logs = "\n".join((one.folder / "patroni" / "log").read_text()[-1500:] for one in self.machines)
        return "\n".join(str(one.state()) for one in self.machines) + logs

    def stop(self) -> None:
        for machine in self.machines:
            machine.kill()
            for process in machine.processes.values():
                process.wait(10)
        self.network.kill()
        self.network.communicate()

    def _start_network(self) -> "subprocess.Popen[str]":
        listeners = [
            f"{machine.name} {machine.proxied[service]} {machine.ports[service]}"
            for machine in self.machines
            for service in machine.ports
        ]
        command = [sys.executable, "-m", "tests.high_availability.network", str(self.folder), *listeners]
        network = subprocess.Popen(
            command, cwd=programs.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert network.stdout is not None
        assert network.stdout.readline() == "ready\n"
        return network

    def _command(self, command: str, machine: Machine) -> None:
        assert self.network.stdin is not None
        assert self.network.stdout is not None
        self.network.stdin.write(f"{command} {machine.name}\n")
        self.network.stdin.flush()
        assert self.network.stdout.readline() == "done\n"
