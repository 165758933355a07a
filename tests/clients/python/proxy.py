"""A reverse proxy in front of a real Latchkey that counts requests, and can hold them back or answer 503 instead."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

_FORWARDED = ("Authorization", "Content-Type", "Accept")
_RETURNED = ("Content-Type", "WWW-Authenticate", "Cache-Control", "Retry-After")


class Proxy:
    """URL of the proxy, the number of requests by path, and its faults."""

    def __init__(self, upstream: str) -> None:
        self.upstream, self.counts = upstream, Counter[str]()
        self.is_down = False
        """Whether requests are answered 503 instead of being passed on."""
        self.gate = threading.Event()
        """Requests wait until it is set."""
        self.arrived = threading.Event()
        """Set when a request has arrived."""
        self.gate.set()
        self.changed = threading.Condition()
        self.held: tuple[str, ...] = ()
        """Paths whose requests wait for the gate; empty for all."""
        self.url = ""

    def count(self, path: str) -> None:
        with self.changed:
            self.counts[path] += 1
            self.changed.notify_all()
        self.arrived.set()
        if not self.held or path in self.held:
            self.gate.wait(20)

    def hold(self, *paths: str) -> None:
        """Hold requests back: those of these paths, or all."""
        self.held = paths
        self.gate.clear()

    def wait_for(self, number: int) -> None:
        """Wait until this many requests that are held back have arrived."""
        with self.changed:
            assert self.changed.wait_for(lambda: sum(self.counts[path] for path in self.held) >= number, 30), (
                self.counts
            )


@contextmanager
def run_proxy(upstream: str) -> Iterator[Proxy]:
    """Run a proxy on a free loopback port, as a context manager."""
    proxy = Proxy(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.forward(b"")

        def do_POST(self) -> None:
            self.forward(self.rfile.read(int(self.headers["Content-Length"])))

        def forward(self, body: bytes) -> None:
            proxy.count(self.path)
            if proxy.is_down:
                self.send_response(503)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            headers = {name: self.headers[name] for name in _FORWARDED if name in self.headers}
            answer = httpx.request(self.command, f"{proxy.upstream}{self.path}", content=body, headers=headers)
            self.send_response(answer.status_code)
            for name in _RETURNED:
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the base class
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
