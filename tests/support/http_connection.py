"""Raw HTTP over a socket: the server gets exactly the bytes of the test, and responses are parsed strictly."""

import json
import socket
import time
from types import TracebackType
from typing import Self

import httpx

HOST_HEADER = b"Host: 127.0.0.1\r\n"


class Connection:
    """One TCP connection to the server; `timeout` in seconds holds for every read and write."""

    def __init__(self, port: int, timeout: float = 5) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close()

    def send(self, raw: bytes) -> "Connection":
        self.socket.sendall(raw)
        return self

    def shutdown_write(self) -> "Connection":
        """Close the sending side and go on reading."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def read_response(self, to: str = "GET /") -> httpx.Response:
        """Read one response by its framing headers; responses to HEAD, 1xx, 204 and 304 have no body."""
        line, *rest = self._read_until(b"\r\n\r\n").split(b"\r\n")
        version, code, _ = line.split(b" ", 2)
        headers = httpx.Headers([(name, value.strip()) for name, _, value in (part.partition(b":") for part in rest)])
        method, target = to.split(" ")
        bodiless = method == "HEAD" or int(code) in (204, 304) or int(code) < 200
        answer = httpx.Response(
            int(code), content=b"" if bodiless else self._body(headers), extensions={"version": version}
        )
        answer.headers, answer.request = headers, httpx.Request(method, f"http://127.0.0.1{target}")
        return answer

    def is_closed(self, within: float = 5) -> bool:
        """Tell whether the server closes the connection in time, without sending another byte."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                part = self.socket.recv(65536)
            except TimeoutError:
                return False
            except ConnectionResetError:
                return not self.buffer
            if not part:
                return not self.buffer
            self.buffer += part
        return False

    def _body(self, headers: httpx.Headers) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self._read_until(b"\r\n"), 16):
                body += self._read_exactly(size + 2)[:-2]
            assert self._read_exactly(2) == b"\r\n"
            return body
        return self._read_exactly(int(headers["content-length"]))

    def _read_until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            self._read_more()
        found, self.buffer = self.buffer.split(mark, 1)
        return found

    def _read_exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self._read_more()
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found

    def _read_more(self) -> None:
        part = self.socket.recv(65536)
        assert part, f"the server closed after {self.buffer[:200]!r}"
        self.buffer += part


def request(line: str, *headers: bytes, body: bytes = b"", host: bytes = HOST_HEADER) -> bytes:
    """Return a request of 'METHOD target' with these header lines, which are sent unchanged."""
    return b"".join([line.encode("latin-1"), b" HTTP/1.1\r\n", host, *(h + b"\r\n" for h in headers), b"\r\n", body])


def post(path: str, fields: dict[str, str], *headers: bytes, excess_length: int = 0) -> bytes:
    """Return a POST of a JSON object; `excess_length` makes its Content-Length too large by as many bytes."""
    body = json.dumps(fields).encode()
    length = b"Content-Length: %d" % (len(body) + excess_length)
    return request(f"POST {path}", b"Content-Type: application/json", length, *headers, body=body)
