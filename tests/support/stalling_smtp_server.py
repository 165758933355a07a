"""A mail server that behaves well until a step, and then says nothing, or drips."""

import socket
import threading
from contextlib import suppress

STEPS: list[tuple[bytes, bytes]] = [
    (b"", b"220 hello\r\n"),
    (b"ehlo", b"250 hello\r\n"),
    (b"mail", b"250 OK\r\n"),
    (b"rcpt", b"250 OK\r\n"),
    (b"data", b"354 go on\r\n"),
    (b"\r\n.\r\n", b"250 OK\r\n"),
]
"""What a client sends, and the reply; "" is the greeting."""

DRIP = b"250-" + b"x" * 500


class StallingServer:
    """A mail server that behaves well until a step, and then says nothing, or a byte every half a second."""

    def __init__(self, step: int, drips: bool) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.step, self.drips, self.reached, self.over = step, drips, threading.Event(), threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            for wanted, reply in STEPS[: self.step]:
                self.receive(connection, wanted)
                connection.sendall(reply)
            self.receive(connection, STEPS[self.step][0])
            self.reached.set()
            for byte in DRIP:
                if self.drips:
                    connection.sendall(bytes([byte]))
                if self.over.wait(0.5):
                    return

    def receive(self, connection: socket.socket, wanted: bytes) -> None:
        received = b""
        while wanted not in received.lower():
            part = connection.recv(4096)
            if not part:
                raise OSError
            received += part
