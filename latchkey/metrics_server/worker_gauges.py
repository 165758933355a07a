"""What a worker says of itself, once a second: cheaper than to count along with every request."""

import sqlite3
import time
from collections.abc import Mapping
from functools import partial
from threading import Lock
from weakref import WeakSet

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from prometheus_client import Counter, Gauge
from prometheus_client.process_collector import ProcessCollector
from psycopg.pq import TransactionStatus

from latchkey.conf.policy import PolicyCache
from latchkey.telemetry.worker_pool import ThreadPool

INTERVAL = 1.0  # seconds

_gauge = partial(Gauge, registry=None)  # the files of all workers are read instead
_databases: WeakSet[BaseDatabaseWrapper] = WeakSet()
"""One for each thread that has ever connected; it goes with its thread."""
_lock = Lock()  # nobody may connect for the first time while they are looked through


@receiver(connection_created)
def _track_connection(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    with _lock:
        _databases.add(connection)


class WorkerGauges:
    """The gauges of this worker; together with those of the other workers they are summed, or the highest counts."""

    def __init__(self, pools: Mapping[str, ThreadPool]) -> None:
        self.pools, self.last_cpu = pools, 0.0
        add = partial(_gauge, multiprocess_mode="livesum")
        self.threads = add("latchkey_threads", "Threads that answer requests.", ["pool"])
        self.busy = add("latchkey_threads_busy", "Threads that are answering a request.", ["pool"])
        self.waiting = add("latchkey_requests_waiting", "Requests that wait for a thread.", ["pool"])
        self.connections = add("latchkey_database_connections", "Connections to the database.")
        self.connections_busy = add("latchkey_database_connections_busy", "Those in mid-statement or mid-transaction.")
        self.policy_age = _gauge(
            "latchkey_policy_age_seconds", "Since the settings were read.", multiprocess_mode="livemax"
        )
        self.process = ProcessCollector(registry=None)
        self.cpu = Counter("process_cpu_seconds", "Processor time.", registry=None)
        self.memory = add("process_resident_memory_bytes", "Resident memory.")
        self.files = add("process_open_fds", "Open files and sockets.")
        self.started = _gauge("process_start_time_seconds", "When the newest began.", multiprocess_mode="livemax")
        add("latchkey_workers", "Processes that serve.").set(1)

    def update(self) -> None:
        """Say how things are at this moment."""
        for name, pool in self.pools.items():
            self.threads.labels(name).set(len(pool.busy))
            self.busy.labels(name).set(sum(pool.busy))
            self.waiting.labels(name).set(pool.queue.qsize())
        with _lock:
            held = [database for database in _databases if database.connection is not None]
        self.connections.set(len(held))
        self.connections_busy.set(sum(map(is_busy, held)))
        self.policy_age.set(time.monotonic() - PolicyCache.loaded_at)
        now = {metric.name: metric.samples[0].value for metric in self.process.collect()}  # nothing but on Linux
        self.memory.set(now.get("process_resident_memory_bytes", 0))
        self.files.set(now.get("process_open_fds", 0))
        self.started.set(now.get("process_start_time_seconds", 0))
        spent = time.process_time()
        self.cpu.inc(spent - self.last_cpu)
        self.last_cpu = spent

    def run(self) -> None:
        """Do so for as long as the process lives."""
        while True:
            self.update()
            time.sleep(INTERVAL)


def is_busy(database: BaseDatabaseWrapper) -> bool:
    """Tell whether a connection of another thread is at work; that thread may close it meanwhile."""
    held = database.connection
    if database.vendor == "sqlite":
        try:
            return bool(held.in_transaction)
        except (AttributeError, sqlite3.ProgrammingError):
            return False
    status = held.pgconn.transaction_status if held else TransactionStatus.UNKNOWN
    return status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)
