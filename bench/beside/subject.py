"""A running server as a subject of the benchmark: its processes, its database and its users."""

from pathlib import Path
from urllib.parse import urlsplit

from bench import processes
from bench.adapter import Person
from bench.beside.adapter import DescribedSystem
from bench.beside.description import LOOPBACK, ServerTable
from bench.database import count_rows_and_wal
from bench.http_client import HttpConnection
from bench.load import CONNECTIONS
from bench.server import BenchmarkError
from bench.system_under_test import Subject


class RunningServer:
    """A server that somebody else has started; its processes are found once, at the beginning."""

    def __init__(self, table: ServerTable) -> None:
        self.port = table.port
        if table.process is None:
            self.pids = find_listeners(self.port, "process.pids")
        elif table.process.process_group is not None:
            self.pids = processes.processes_of_group(table.process.process_group)
        else:
            self.pids = table.process.pids or []
        self.pids = processes.topmost(self.pids)
        self.ensure_running()

    def ensure_running(self) -> None:
        """Raise BenchmarkError if one of its processes has ended."""
        ended = [pid for pid in self.pids if not Path(f"/proc/{pid}").exists()]
        if ended or not self.pids:
            raise BenchmarkError(f"the process has ended: {', '.join(map(str, ended)) or 'the group is empty'}")

    def cpu_time_ns(self) -> int:
        return cpu_time_ns(self.pids)

    def memory(self) -> dict[str, float]:
        """Return RSS and PSS in MB of the largest process, and the PSS of all."""
        found = [processes.memory(pid) for pid in self.pids]
        return max(found, key=lambda one: one["pss_mb"]) | {"all_pss_mb": sum(one["all_pss_mb"] for one in found)}


class RunningSubject(Subject):
    """A described server with its users, who register, or exist already, and sign in."""

    main_server: RunningServer

    def __init__(self, table: ServerTable, run: str) -> None:
        self.table, self.system = table, DescribedSystem(table)
        people = [Person(email, table.accounts.password) for email in table.accounts.addresses(run)]
        refreshing = min(CONNECTIONS, len(people) // 2)
        self.refresh_users, self.login_users = people[:refreshing], people[refreshing:]
        self.database_pids: list[int] = []

    def start(self) -> None:
        """Find the processes, register the users if the file says how, and sign in those who refresh."""
        try:
            HttpConnection(self.table.port).close()
        except OSError as error:
            raise BenchmarkError(f"nothing answers at {self.table.base_url}") from error
        self.main_server = RunningServer(self.table)
        if self.table.database is not None:
            self.database_pids = processes.topmost(self.table.database.pids or self.find_database())
        if self.table.register_request is not None:
            self.register(self.main_server, [*self.refresh_users, *self.login_users])
        self.sign_in(self.main_server, self.refresh_users)

    def find_database(self) -> list[int]:
        assert self.table.database is not None
        url = urlsplit(self.table.database.url)
        if url.hostname not in LOOPBACK:  # the CPU of a database on another machine cannot be read
            return []
        return find_listeners(url.port or 5432, "database.pids")

    def database_cpu(self) -> int:
        """Return the CPU time of the database in nanoseconds; 0 if its processes are not known."""
        return cpu_time_ns(self.database_pids)

    def database_counters(self) -> dict[str, int]:
        """Return the counters of the database; none without a URL."""
        return count_rows_and_wal(self.table.database.url) if self.table.database is not None else {}


def cpu_time_ns(pids: list[int]) -> int:
    """Return the CPU time of these processes, their descendants, and their ended children."""
    return sum(processes.cpu_time_ns(pid) + processes.children_cpu_time_ns(pid) for pid in pids)


def find_listeners(port: int, key: str) -> list[int]:
    """Return the processes that listen on a port; raise BenchmarkError with the key that names them instead."""
    pids = processes.listening_processes(port)
    if not pids:
        raise BenchmarkError(
            f"no process that this user may inspect listens on port {port}: name its processes in {key}, or run as root"
        )
    return pids
