"""Two nodes of Latchkey in production mode on the cluster, each with a HAProxy of its own, and their clients.

Clients reach the nodes in turns, request by request, as behind a load balancer.
"""

import itertools
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import httpx
import psycopg

from tests.high_availability import programs
from tests.high_availability.cluster import PASSWORD, Cluster
from tests.high_availability.haproxy import HAProxy
from tests.high_availability.machine import Machine
from tests.people import try_register
from tests.support.production import production_server
from tests.support.refreshing_clients import IDLE_INTERVAL, Load

MAX_RESPONSE_SECONDS = 12.0
"""Seconds of the longest answer, as docs/operations.md promises."""

WRITE_INTERVAL = 0.2


class InTurns(httpx.BaseTransport):
    """Sends each request to the next of several servers; the URL of the client names them, separated by a space."""

    def __init__(self, servers: list[str], first: int) -> None:
        self.servers = itertools.islice(itertools.cycle(httpx.URL(server) for server in servers), first, None)
        self.transport = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        server = next(self.servers)
        request.url = request.url.copy_with(host=server.host, port=server.port)
        return self.transport.handle_request(request)

    def close(self) -> None:
        self.transport.close()


class Service:
    """The two nodes, and the role that owns their tables."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.proxies = [HAProxy(folder / f"haproxy{n}", cluster.machines).start() for n in (1, 2)]
        self.nodes = [production_server(folder / f"node{n}", self.url(n)) for n in (1, 2)]
        self._turns = itertools.count()

    def url(self, node: int, role: str = "latchkey") -> str:
        password = PASSWORD.replace(" ", "%20")
        return f"postgresql://{role}:{password}@127.0.0.1:{self.proxies[node - 1].port}/latchkey"

    def create_database(self) -> None:
        """Create roles and database on the primary by deploy/roles.sh, as the superuser of the cluster."""
        machine = self.cluster.primary()
        environment = {
            "PATH": f"{self.cluster.bin_dir}:/usr/bin:/bin",
            "PGHOST": str(machine.folder),
            "PGPORT": str(machine.ports["postgresql"]),
            "PGUSER": programs.owner_name(),
            "OWNER_PASSWORD": PASSWORD,
            "SERVICE_PASSWORD": PASSWORD,
        }
        with (programs.ROOT / "deploy" / "roles.sh").open() as script:
            subprocess.run(
                ["sh", "-s"],
                stdin=script,
                env=environment,
                cwd="/",
                check=True,
                timeout=60,
                user=programs.OWNER,
                group=programs.OWNER,
            )

    def start(self) -> "Service":
        """Migrate as the owner of the tables, then serve as the other role."""
        first = self.nodes[0]
        served, first.environment["DATABASE_URL"] = self.url(1), self.url(1, "latchkey_owner")
        migrated = first.command("migrate", "--verbosity", "0")
        assert migrated.returncode == 0, migrated.stderr
        first.environment["DATABASE_URL"] = served
        for node in self.nodes:
            node.restart()
        first.raise_address_limits()
        return self

    def restart_nodes(self) -> None:
        """Restart both nodes, so that no drill has the connections or the memory of another one."""
        for node in self.nodes:
            assert node.stop() == 0
            node.restart()

    def stop(self) -> None:
        for node in self.nodes:
            if node.process:
                node.kill()
        for proxy in self.proxies:
            proxy.stop()

    def connect(self, url: str = "") -> httpx.Client:
        """Return a client whose requests reach the two nodes in turns."""
        servers = [node.url for node in self.nodes]
        transport = InTurns(servers, next(self._turns) % 2)
        return httpx.Client(base_url=servers[0], transport=transport, timeout=MAX_RESPONSE_SECONDS + 3)

    def delete_users(self) -> None:
        with psycopg.connect(self.url(1, "latchkey_owner")) as connection:
            connection.execute("TRUNCATE latchkey_user CASCADE")

    def connections(self, machine: Machine) -> int:
        """Return the number of connections of the nodes to the PostgreSQL of a machine."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'latchkey' AND pid <> pg_backend_pid()"
        port = machine.ports["postgresql"]
        with psycopg.connect(self.url(1).replace(f":{self.proxies[0].port}/", f":{port}/")) as connection:
            (count,) = connection.execute(query).fetchone() or (0,)
            return int(count)

    def emails(self) -> set[str]:
        with psycopg.connect(self.url(1)) as connection:
            return {email for (email,) in connection.execute("SELECT email FROM latchkey_user")}


class Writer:
    """Registers one account after the other, and remembers those that were acknowledged with 201."""

    def __init__(self, http: httpx.Client) -> None:
        self.http, self.acknowledged, self.statuses, self.slowest = http, set[str](), Counter[str](), 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        self._thread.join(MAX_RESPONSE_SECONDS + 10)
        self.http.close()

    def _run(self) -> None:
        for number in itertools.count():
            if self._stopping.wait(WRITE_INTERVAL):
                return
            email, began = f"writer{number}@example.com", time.monotonic()
            try:
                status = str(try_register(self.http, email).status_code)
            except httpx.TransportError as error:
                status = type(error).__name__
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.statuses[status] += 1
            if status == "201":
                self.acknowledged.add(email)


def longest_gap(times: list[float]) -> float:
    """Return the longest time between two of these times, in seconds."""
    ordered = sorted(times)
    return max((later - earlier for earlier, later in itertools.pairwise(ordered)), default=0.0)


class Traffic:
    """The load of a drill: 16 clients that refresh all the time, 48 that do every 20 s, and a writer."""

    def __init__(self, service: Service) -> None:
        self.load = Load("", 16, service.connect, idle=48, max_response_seconds=MAX_RESPONSE_SECONDS)
        self.writer = Writer(service.connect())

    @contextmanager
    def running(self) -> Iterator[Self]:
        with self.load, self.writer:
            yield self

    def wait_for_idle_clients(self, within: float = IDLE_INTERVAL + 20) -> None:
        """Wait until each of the idle clients has been answered once more, or is signed out."""
        idle, began = self.load.clients[16:], time.monotonic()
        while not all(client.lost or client.answered_at[-1:] > [began] for client in idle):
            assert time.monotonic() - began < within, self
            time.sleep(0.1)

    @property
    def gap(self) -> float:
        """The longest time without any 200 for a refresh."""
        return longest_gap([at for client in self.load.clients for at in client.answered_at])

    @property
    def worst_client(self) -> float:
        """The longest time without a 200 for one of the clients that refresh all the time."""
        return max(longest_gap(client.answered_at) for client in self.load.clients[:16])

    @property
    def slowest(self) -> float:
        return max(self.writer.slowest, *(client.slowest for client in self.load.clients))

    def __str__(self) -> str:
        return (
            f"gap {self.gap:.1f} s, worst client {self.worst_client:.1f} s, slowest request {self.slowest:.1f} s,"
            f" refreshes {dict(self.load.statuses())}, registrations {dict(self.writer.statuses)}"
        )
