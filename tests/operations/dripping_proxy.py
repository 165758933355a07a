"""A TCP proxy for PostgreSQL that can let answers drip, a byte from time to time, and can read no requests."""

import select
import socket
from contextlib import suppress
from threading import Event, Thread

DRIP_INTERVAL = 0.5


class DrippingProxy:
    """Forwards connections from a port of its own, as a context manager.

    `dripping` says how answers are passed on, `holding` that requests are not read. receive_buffer is the size of the
    socket's receive buffer in bytes, 0 for that of the kernel.
    """

    def __init__(self, port: int, receive_buffer: int = 0) -> None:
        self.upstream_port, self.dripping, self.holding, self.over = port, Event(), Event(), Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
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
            while part := self._receive(source, are_answers):
                while are_answers and self.dripping.is_set() and part and not self.over.wait(DRIP_INTERVAL):
                    target.sendall(part[:1])
                    part = part[1:]
                target.sendall(part)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)  # wakes the other thread

    def _receive(self, source: socket.socket, are_answers: bool) -> bytes:
        select.select([source], [], [])
        while not are_answers and self.holding.is_set() and not self.over.wait(0.05):
            pass
        return source.recv(65536)
