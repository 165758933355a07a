"""HTTP listener of LATCHKEY_METRICS_ADDRESS: one socket, opened by the main process and shared by all workers.

So a port that is in use is an error at the start, and the address answers as long as one worker is alive. It is
the standard library's WSGI server in threads of its own, so that it answers while all request threads are busy.
"""

import socket
import time
from contextlib import suppress
from socketserver import ThreadingMixIn
from threading import Lock, Thread
from typing import Any
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

from latchkey.metrics_server.sockets import bind

CONNECTION_SECONDS = 10.0
"""Seconds from the start of a connection to its end: for the whole request and its whole answer, however slowly the
other side sends or reads. An answer takes 2 s at most while the database hangs."""

MAX_CONNECTIONS = 32
"""Connections of a worker, each with a thread. One more ends the oldest one that has not sent its request yet."""

BACKLOG = 128


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises ImproperlyConfigured."""
    listener = bind(host, port)
    listener.listen(BACKLOG)
    listener.setblocking(False)  # if two workers wake up for one client, the second has nothing to accept
    return listener


class _Handler(WSGIRequestHandler):
    timeout = CONNECTION_SECONDS

    def parse_request(self) -> bool:
        """Read the head; a connection whose request has arrived is not ended for a newer one."""
        is_valid = super().parse_request()
        self.server.request_arrived(self.connection)  # type: ignore[attr-defined]  # of _Server
        return is_valid

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
        """Log nothing: there is a scrape every few seconds."""


class _Server(ThreadingMixIn, WSGIServer):
    """The server, which ends connections that take too long, or that are too many."""

    daemon_threads = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lock = Lock()
        self.opened: dict[socket.socket, float] = {}  # when, oldest first
        self.arriving: dict[socket.socket, None] = {}  # those whose request has not arrived whole, oldest first

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a new connection a thread; too many of them end the oldest one that is still sending its request."""
        with self.lock:
            is_full = len(self.opened) >= MAX_CONNECTIONS
            victim = next(iter(self.arriving), request) if is_full else None
            if victim is not request:
                self.opened[request], self.arriving[request] = time.monotonic(), None
            if victim is not None:
                self.end(victim)
        if victim is request:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def request_arrived(self, connection: socket.socket) -> None:
        with self.lock:
            self.arriving.pop(connection, None)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection, at its end."""
        with self.lock:
            self.opened.pop(request, None)
            self.arriving.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """End overdue connections; `serve_forever` calls this twice a second."""
        with self.lock:
            latest = time.monotonic() - CONNECTION_SECONDS
            for connection in [each for each, at in self.opened.items() if at < latest]:
                self.end(connection)

    def end(self, connection: socket.socket) -> None:
        """Wake the thread of a connection, whether it reads or writes; the thread closes it."""
        self.opened.pop(connection, None)
        self.arriving.pop(connection, None)
        with suppress(OSError):  # the other side has closed it
            connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing about clients that disconnected or never finished their request."""


def serve_in_thread(listener: socket.socket, application: Any) -> None:
    """Serve a WSGI application on this socket, in threads of its own."""
    ServerHandler.server_software = ""  # no Server header with versions
    server = _Server(("", 0), _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_name, server.server_port = "latchkey", listener.getsockname()[1]
    server.setup_environ()
    server.set_app(application)
    Thread(target=server.serve_forever, daemon=True).start()
