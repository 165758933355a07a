"""HTTP listener of LATCHKEY_METRICS_ADDRESS: one socket, opened by the main process and shared by all workers.

So a port that is in use is an error at the start, and the address answers as long as one worker is alive. It is
the standard library's WSGI server in threads of its own, so that it answers while all request threads are busy.
"""

import socket
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

from latchkey.metrics_server.sockets import bind

REQUEST_TIMEOUT = 5  # seconds for a request to arrive
BACKLOG = 128


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises ImproperlyConfigured."""
    listener = bind(host, port)
    listener.listen(BACKLOG)
    listener.setblocking(False)  # if two workers wake up for one client, the second has nothing to accept
    return listener


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_TIMEOUT

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
        """Log nothing: there is a scrape every few seconds."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

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
