"""A TCP proxy for PostgreSQL that can let the answers of the server drip: a byte from time to time."""

import socket
from contextlib import suppress
from threading import Event, Thread

DRIP_INTERVAL = 0.5


class DrippingProxy:
    """Forwards connections from a port of its own, as a context manager; `dripping` says how answers are passed on."""

    def __init__(self, port: int) -> None:
        self.upstream_port, self.dripping, self.over = port, Event(), Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]

    def __enter__(self) -> "DrippingProxy":
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.over.set()
        self.listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.upstream_port))
                Thread(target=self._forward, args=(client, server, False), daemon=True).start()
                Thread(target=self._forward, args=(server, client, True), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, are_answers: bool) -> None:
        with source, suppress(OSError):
            while part := source.recv(65536):
                while are_answers and self.dripping.is_set() and part and not self.over.wait(DRIP_INTERVAL):
                    target.sendall(part[:1])
                    part = part[1:]
                target.sendall(part)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)  # wakes the other thread
