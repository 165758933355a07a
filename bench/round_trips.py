"""TCP proxy for PostgreSQL that counts round trips.

A round trip is a frontend message for whose response the client waits: Query, Sync or Flush (PostgreSQL documentation,
"Frontend/Backend Protocol").
"""

import socket
from contextlib import suppress
from threading import Thread

ROUND_TRIP_TYPES = b"QSH"
UPGRADE_REQUESTS = {80877103, 80877104}
"""Codes of the requests for TLS and GSSAPI encryption. The server refuses, and the start-up message follows."""


class CountingProxy:
    """The proxy on its own port; `count` is the number of round trips so far, `bytes` those of both directions."""

    def __init__(self, port: int) -> None:
        self.upstream_port, self.count, self.bytes = port, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.connections: list[socket.socket] = []
        Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.upstream_port))
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += [client, server]
                Thread(target=self.forward, args=(client, server, MessageParser()), daemon=True).start()
                Thread(target=self.forward, args=(server, client, None), daemon=True).start()

    def forward(self, source: socket.socket, target: socket.socket, messages: "MessageParser | None") -> None:
        """Forward bytes until one side closes; count the messages of the client."""
        with suppress(OSError):
            while part := source.recv(65536):
                self.bytes += len(part)
                if messages:
                    self.count += messages.count_round_trips(part)
                target.sendall(part)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for end in (self.listener, *self.connections):
            end.close()


class MessageParser:
    """Parser of the messages of one client, which arrive in arbitrary parts."""

    def __init__(self) -> None:
        self.buffer, self.started = b"", False

    def count_round_trips(self, part: bytes) -> int:
        """Return the number of round trips whose message is complete with this part."""
        self.buffer += part
        count = 0
        while True:
            kind = 1 if self.started else 0  # the first message has no type byte
            length = int.from_bytes(self.buffer[kind : kind + 4])
            if len(self.buffer) < kind + 4 or len(self.buffer) < kind + length:
                return count
            if self.started:
                count += self.buffer[0] in ROUND_TRIP_TYPES
            else:
                self.started = int.from_bytes(self.buffer[4:8]) not in UPGRADE_REQUESTS
            self.buffer = self.buffer[kind + length :]
