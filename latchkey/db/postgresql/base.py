"""Django's PostgreSQL backend that leaves a server which does not answer, and tries the other hosts of DATABASE_URL.

A server may accept connections while nothing it is asked is ever answered: it is frozen, it was cut off from its
standbys, or another one is the primary by now. libpq tries the hosts in their order and would stay with such a server.
"""

from collections.abc import Iterator
from secrets import SystemRandom
from threading import Lock
from time import monotonic
from typing import Any
from weakref import WeakSet

import psycopg
import structlog
from django.db.backends.postgresql import base
from psycopg import IsolationLevel
from psycopg.errors import ConnectionTimeout

from latchkey.db.postgresql.connection import Connection

AVOID_SECONDS = 30.0
"""How long a server that did not answer in time is tried only after all others."""

CONNECT_SECONDS = 6.0
"""Seconds after which no further host is tried: a request has to be answered in time. The next attempt begins with the
hosts that were not tried."""

log = structlog.get_logger(__name__)
_open: "WeakSet[DatabaseWrapper]" = WeakSet()
_lock = Lock()  # the set must not change while it is iterated over
_avoided: dict[tuple[str, str], float] = {}  # until when, by host and port
_connected: list[tuple[str, str]] = []  # the server that accepted the latest connection


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's connection of one thread; `ANSWER_TIMEOUT` of DATABASES limits every answer (conf/database.py)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.answer_timeout: float | None = None  # as in DATABASES
        self.must_close = False  # the connection may not answer any more; set by any thread
        self.server = "", ""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        """Connect to the first host that answers; raises psycopg.Error of the last one tried."""
        self.isolation_level = IsolationLevel.READ_COMMITTED  # Django's default, which it sets here
        started_at, attempts = monotonic(), list(connection_attempts(conn_params))
        while True:
            attempt = attempts.pop(0)
            self.server = str(attempt.get("host", "")), str(attempt.get("port", ""))
            try:
                connection = Connection.connect(**attempt)
            except psycopg.Error as error:
                if isinstance(error, ConnectionTimeout):
                    avoid(self.server)
                if not attempts or monotonic() - started_at >= CONNECT_SECONDS:
                    raise
            else:
                break
        _connected[:] = [self.server]
        if self.answer_timeout is None:
            self.answer_timeout = self.settings_dict.get("ANSWER_TIMEOUT")
        connection.answer_timeout = self.answer_timeout
        connection.on_timeout, connection.on_untracked = self.leave_server, stop_preparing
        self.must_close = False
        with _lock:
            _open.add(self)
        return connection

    def close_if_unusable_or_obsolete(self) -> None:
        """Close the connection also if it has ended, or if its server did not answer another one.

        Django calls this between requests, `ensure_usable` before each statement outside of a transaction.
        """
        if not self.in_atomic_block and (self.must_close or (self.connection and self.connection.has_ended())):
            self.close()
        super().close_if_unusable_or_obsolete()

    def leave_server(self) -> None:
        """Have all connections to this server replaced, and prefer other hosts for a while.

        A connection with a shorter time limit than others, as health checks have, decides nothing for them.
        """
        if self.answer_timeout == self.settings_dict.get("ANSWER_TIMEOUT"):
            avoid(self.server)
            close_connections(self.server)


def connection_attempts(conn_params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the parameters for each host in the order in which they are tried.

    First the host that accepted the latest connection: a deposed primary that stalled would accept one, too, as soon as
    it is avoided no longer. Last those that did not answer. psycopg splits several hosts in the same way, but always
    begins with the first one.
    """
    hosts, ports = str(conn_params.get("host", "")).split(","), str(conn_params.get("port", "")).split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    by_libpq = "hostaddr" in conn_params or conn_params.get("target_session_attrs") == "prefer-standby"
    if len(hosts) == 1 or len(hosts) != len(ports) or by_libpq:
        yield conn_params
        return
    servers, now = list(zip(hosts, ports, strict=True)), monotonic()
    latest = list(_connected)
    if conn_params.get("load_balance_hosts") == "random":
        SystemRandom().shuffle(servers)
        latest = []
    for host, port in sorted(servers, key=lambda server: (_avoided.get(server, 0.0) > now, server not in latest)):
        yield {**conn_params, "host": host, "port": port}


def avoid(server: tuple[str, str]) -> None:
    """Try this server after the others for a while; logged once in an outage."""
    now = monotonic()
    with _lock:
        is_known = _avoided.get(server, 0.0) > now
        _avoided[server] = now + AVOID_SECONDS
    if not is_known:
        log.error("database.stalled", host=server[0], port=server[1])


def close_connections(server: tuple[str, str] | None = None) -> None:
    """Have the connections to this server, or all, closed by their threads before the next statement.

    The event loop closes its own (`db/async_pool.py`).
    """
    with _lock:
        for wrapper in _open:
            if server in (None, wrapper.server):
                wrapper.must_close = wrapper.errors_occurred = True


def stop_preparing() -> None:
    """Prepare no more statements in this process: a pooler keeps no track of them; logged once."""
    with _lock:
        options = [wrapper.settings_dict["OPTIONS"] for wrapper in _open]
        preparing = [each for each in options if each.get("prepare_threshold") is not None]
        for each in preparing:
            each["prepare_threshold"] = None
    if preparing:
        log.warning("database.prepared_statements_off")
    close_connections()
