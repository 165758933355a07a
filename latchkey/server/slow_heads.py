"""Close connections whose next request does not arrive in time, while idle ones are kept open for the proxy.

Granian has one timeout for both: for the header section of a request, and for an idle keep-alive connection before it.
Proxies keep idle connections for a minute, and a client that sends a header section byte by byte must not hold one for
that long (slowloris). So granian's timeout is that of idle connections, and this thread ends slow header sections: the
kernel counts the bytes that a connection has received, and bytes without a request are a part of one
(docs/decisions/0024-slow-header-sections.md).
"""

import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

HEAD_TIMEOUT = 10.0
"""Seconds for the header section of a request, from its first byte, or from the start of the connection."""

INTERVAL = 1.0
FORGET_AFTER = 2 * INTERVAL
"""Seconds after which an answered connection that was not found again is forgotten."""

TCP_ESTABLISHED = 1
_RECEIVED = struct.Struct("=Q")
_RECEIVED_AT = 128
"""Offset of tcpi_bytes_received in Linux's struct tcp_info (since Linux 4.1); its first byte is the state."""


def is_supported() -> bool:
    """Return whether the kernel counts received bytes; elsewhere granian's timeout has to be that of heads."""
    with socket.socket() as probe, suppress(OSError, AttributeError):
        return len(probe.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)) >= _RECEIVED_AT + _RECEIVED.size
    return False


@dataclass(slots=True)
class Progress:
    """What is known of one connection: bytes up to its last request, when that was answered, when a head began."""

    received: int
    answered_at: float
    began_at: float | None


class SlowHeads:
    """The connections of one worker: the event loop notes its requests, and a thread looks at the sockets."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.active: set[str] = set()
        self.answered: dict[str, float] = {}
        self.connections: dict[str, Progress] = {}
        self.looked_at = 0.0  # when the connections were looked at last

    def start(self) -> None:
        """Watch until the process ends, if the kernel supports it."""
        if is_supported():
            Thread(target=self.run, name="slow-heads", daemon=True).start()

    def begin(self, client: str) -> None:
        """Note that a header section has arrived."""
        self.active.add(client)

    def end(self, client: str) -> None:
        """Note that a request was answered."""
        self.answered[client] = monotonic()
        self.active.discard(client)

    def run(self) -> None:
        """Look at all connections every second; the thread's main function."""
        while True:
            sleep(INTERVAL)
            self.close_slow(monotonic())

    def close_slow(self, now: float) -> None:
        """Close the connections whose header section takes too long, and forget those that are closed."""
        found: dict[str, Progress] = {}
        for client, connection, received in open_connections(self.port):
            with connection:
                progress = found[client] = self.update(client, received, now)
                if progress.began_at is not None and now - progress.began_at >= HEAD_TIMEOUT:
                    with suppress(OSError):  # it is closed already
                        connection.shutdown(socket.SHUT_RDWR)
        self.connections, self.looked_at = found, now
        for client, answered_at in list(self.answered.items()):
            if client not in found and now - answered_at > FORGET_AFTER:
                self.answered.pop(client, None)

    def update(self, client: str, received: int, now: float) -> Progress:
        """Return the progress of a connection that has received so many bytes by now."""
        answered_at = self.answered.get(client, 0.0)
        known = self.connections.get(client)
        if known is None or received < known.received:  # a new connection, perhaps with the address of an old one
            if answered_at <= self.looked_at:  # an answer from before this connection was opened is the old one's
                answered_at = 0.0
                self.answered.pop(client, None)
            return Progress(received, answered_at, None if answered_at or client in self.active else now)
        if client in self.active or answered_at != known.answered_at:
            return Progress(received, answered_at, None)
        if known.began_at is None and received > known.received:
            known.began_at = now
        return known


def open_connections(port: int) -> Iterator[tuple[str, socket.socket, int]]:
    """Yield the established connections of this process to its port: the client, a duplicate, and bytes received.

    A duplicate stays the same connection, whatever granian does with its own descriptor meanwhile.
    """
    for entry in Path("/proc/self/fd").iterdir():
        connection = duplicate_socket(int(entry.name))
        if connection is None:
            continue
        try:
            host, client_port = connection.getpeername()[:2]
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            own = connection.getsockname()[1] == port and info[0] == TCP_ESTABLISHED and "%" not in host
        except (OSError, ValueError):  # a listener, a socket of another kind, or closed by the client
            own = False
        if own:
            client = f"[{host}]:{client_port}" if ":" in host else f"{host}:{client_port}"
            yield client, connection, _RECEIVED.unpack_from(info, _RECEIVED_AT)[0]
        else:
            connection.close()


def duplicate_socket(descriptor: int) -> socket.socket | None:
    """Return a duplicate of a socket, None for any other file and for one that was closed meanwhile."""
    with suppress(OSError):
        if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return socket.socket(fileno=os.dup(descriptor))
    return None
