"""The address of its own for metrics and probes: one socket, opened by the main process, that every worker answers at.

So a taken port is seen at the start, and somebody answers for as long as one worker lives.
"""

import socket
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

from latchkey.metrics_server.sockets import bind

REQUEST_TIMEOUT = 5  # for a request to arrive
BACKLOG = 128


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises ImproperlyConfigured."""
    listener = bind(host, port)
    listener.listen(BACKLOG)
    listener.setblocking(False)  # where two workers wake up for one client, the second has nothing to accept
    return listener


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_TIMEOUT

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
        """Say nothing: a scrape every few seconds is no event."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away, or never finished their request."""


def serve_in_thread(listener: socket.socket, application: Any) -> None:
    """Serve the application at this socket, in threads of its own."""
    ServerHandler.server_software = ""  # strangers need not know
    server = _Server(("", 0), _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_name, server.server_port = "latchkey", listener.getsockname()[1]
    server.setup_environ()
    server.set_app(application)
    Thread(target=server.serve_forever, daemon=True).start()
