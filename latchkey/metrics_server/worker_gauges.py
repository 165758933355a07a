"""Gauges of a worker process: threads, queues, database connections, CPU and memory, sampled once a second.

Sampling is cheaper than to count along with every request.
"""

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

_gauge = partial(Gauge, registry=None)  # no registry: scrapes read the metric files of all workers
_databases: WeakSet[BaseDatabaseWrapper] = WeakSet()
"""The connection wrappers of all threads that have ever connected; each ends with its thread."""
_lock = Lock()  # the set must not change while it is iterated over


@receiver(connection_created)
def _track_connection(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    with _lock:
        _databases.add(connection)


class WorkerGauges:
    """The gauges of this worker. A scrape adds the values of all workers (livesum) or takes the highest (livemax)."""

    def __init__(self, pools: Mapping[str, ThreadPool]) -> None:
        self.pools, self.last_cpu = pools, 0.0
        add = partial(_gauge, multiprocess_mode="livesum")
        self.threads = add("latchkey_threads", "Request threads.", ["pool"])
        self.busy = add("latchkey_threads_busy", "Request threads that are answering a request.", ["pool"])
        self.waiting = add("latchkey_requests_waiting", "Requests waiting for a thread.", ["pool"])
        self.connections = add("latchkey_database_connections", "Open database connections.")
        self.connections_busy = add("latchkey_database_connections_busy", "Database connections in use.")
        self.policy_age = _gauge(
            "latchkey_policy_age_seconds", "Time since the runtime settings were read.", multiprocess_mode="livemax"
        )
        self.process = ProcessCollector(registry=None)
        self.cpu = Counter("process_cpu_seconds", "Processor time.", registry=None)
        self.memory = add("process_resident_memory_bytes", "Resident memory.")
        self.files = add("process_open_fds", "Open files and sockets.")
        self.started = _gauge("process_start_time_seconds", "Start of the newest worker.", multiprocess_mode="livemax")
        add("latchkey_workers", "Worker processes.").set(1)

    def update(self) -> None:
        """Set all gauges to their current values."""
        for name, pool in self.pools.items():
            self.threads.labels(name).set(len(pool.busy))
            self.busy.labels(name).set(sum(pool.busy))
            self.waiting.labels(name).set(pool.queue.qsize())
        with _lock:
            connected = [database for database in _databases if database.connection is not None]
        self.connections.set(len(connected))
        self.connections_busy.set(sum(map(is_busy, connected)))
        self.policy_age.set(time.monotonic() - PolicyCache.loaded_at)
        process = {metric.name: metric.samples[0].value for metric in self.process.collect()}  # empty except on Linux
        self.memory.set(process.get("process_resident_memory_bytes", 0))
        self.files.set(process.get("process_open_fds", 0))
        self.started.set(process.get("process_start_time_seconds", 0))
        cpu_seconds = time.process_time()
        self.cpu.inc(cpu_seconds - self.last_cpu)
        self.last_cpu = cpu_seconds

    def run(self) -> None:
        """Update the gauges once a second until the process ends; a thread's main function."""
        while True:
            self.update()
            time.sleep(INTERVAL)


def is_busy(database: BaseDatabaseWrapper) -> bool:
    """Return whether a connection is in a statement or transaction; its thread may close it meanwhile."""
    connection = database.connection
    if database.vendor == "sqlite":
        try:
            return bool(connection.in_transaction)
        except (AttributeError, sqlite3.ProgrammingError):
            return False
    status = connection.pgconn.transaction_status if connection else TransactionStatus.UNKNOWN
    return status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)
