"""Minimal HTTP/1.1 client over one keep-alive connection, with as little overhead as possible in Python."""

import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bench.adapter import Request


@dataclass(slots=True)
class Response:
    status: int
    headers: dict[str, str]  # names in lower case; several of one name are joined by a comma
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Return the decoded body; an empty object if there is none, as where tokens are in cookies alone."""
        return json.loads(self.body) if self.body else {}


def encode_request(ask: Request) -> bytes:
    """Return the bytes of a request."""
    head = f"{ask.method} {ask.path} HTTP/1.1\r\n"
    if "Host" not in ask.headers:
        head += "Host: 127.0.0.1\r\n"
    for name, value in ask.headers.items():
        head += f"{name}: {value}\r\n"
    if ask.body is None:
        return f"{head}\r\n".encode()
    if ask.form:
        kind, body = "application/x-www-form-urlencoded", urlencode(ask.body)
    else:
        kind, body = "application/json", json.dumps(ask.body)
    return f"{head}Content-Type: {kind}\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}".encode()


class HttpConnection:
    """One keep-alive connection with one request at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def send(self, ask: Request) -> None:
        self.socket.sendall(encode_request(ask))

    def receive(self) -> Response | None:
        """Read the available bytes; return the response when it is complete, None before."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("the server has closed the connection")
        self.buffer = self.buffer + part if self.buffer else part
        answer = parse_response(self.buffer)
        if answer:
            self.buffer = b""  # no next response can have started: there is one request at a time
        return answer

    def request(self, ask: Request) -> Response:
        """Send a request and return its response."""
        self.send(ask)
        return self.read_response()

    def read_response(self) -> Response:
        """Wait for the response."""
        while (answer := self.receive()) is None:
            pass
        return answer

    def close(self) -> None:
        self.socket.close()


def parse_response(raw: bytes) -> Response | None:
    """Return the response, or None if it is not complete."""
    head, gap, body = raw.partition(b"\r\n\r\n")
    if not gap:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        name = name.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if "content-length" in headers:
        if len(body) < int(headers["content-length"]):
            return None
    elif "transfer-encoding" in headers:
        whole = decode_chunked(body)
        if whole is None:
            return None
        body = whole
    return Response(int(first[9:12]), headers, body)


def decode_chunked(chunks: bytes) -> bytes | None:
    """Return the decoded chunked body, or None if it is not complete."""
    body = b""
    while True:
        size, gap, rest = chunks.partition(b"\r\n")
        if not gap or len(rest) < int(size, 16) + 2:
            return None
        if not int(size, 16):
            return body
        body, chunks = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
