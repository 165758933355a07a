"""A TCP proxy for PostgreSQL that can reset its connections (RST), as a restarted host does."""

import socket
import struct
from contextlib import suppress
from threading import Thread


class ResettingProxy:
    """Forwards connections from a port of its own, as a context manager."""

    def __init__(self, port: int) -> None:
        self.upstream_port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.clients: list[socket.socket] = []

    def __enter__(self) -> "ResettingProxy":
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.listener.close()
        self.reset()

    def reset(self) -> None:
        """Reset every connection that is open."""
        for client in self.clients:
            with client, suppress(OSError):  # closed already
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.shutdown(socket.SHUT_RD)  # wakes its thread; the RST is sent when the last reference is closed
        self.clients.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.upstream_port))
                self.clients.append(client)
                Thread(target=_forward, args=(client, server), daemon=True).start()
                Thread(target=_forward, args=(server, client), daemon=True).start()


def _forward(source: socket.socket, target: socket.socket) -> None:
    with source:
        with suppress(OSError):
            while part := source.recv(65536):
                target.sendall(part)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RD)  # wakes the other thread, which closes it
