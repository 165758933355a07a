"""The origin of a web app: its page, the built client, and Latchkey behind it, with answers that get lost.

Answers are lost in two ways: the connection closes before the header of the response, or after it. In the second case
a browser has already stored a cookie of that response.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript"}
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class AppServer(ThreadingHTTPServer):
    """Serves `page.html` and `/dist/`, forwards `/api/` to Latchkey, and records the refreshes."""

    daemon_threads, block_on_close = True, False
    request_queue_size = 64

    def __init__(self, port: int, dist: Path) -> None:
        super().__init__(("127.0.0.1", port), AppHandler)
        self.dist, self.url, self.upstream = dist, f"http://localhost:{port}", ""
        self.rng = random.Random(20)
        self.loss_rate = 0.0  # share of the answers of refresh that get lost
        self.delay = 0.0  # seconds that the next answer of refresh takes longer
        self.online = True
        self.refreshes: list[tuple[str, int]] = []  # Idempotency-Key and status
        self.lost = 0


class AppHandler(BaseHTTPRequestHandler):
    """One connection of the browser."""

    protocol_version = "HTTP/1.1"
    server: AppServer

    def do_GET(self) -> None:
        if self.path.startswith("/api/"):
            self._forward(None)
            return
        path = urlsplit(self.path).path
        is_built = path.startswith("/dist/")
        file = self.server.dist / path.removeprefix("/dist/") if is_built else Path(__file__).with_name("page.html")
        if not file.is_file():
            self.send_error(404)
            return
        self._answer(200, [("Content-Type", TYPES[file.suffix])], file.read_bytes())

    def do_POST(self) -> None:
        self._forward(self.rfile.read(int(self.headers["Content-Length"])))

    def do_DELETE(self) -> None:
        self._forward(None)

    def _forward(self, body: bytes | None) -> None:
        server, is_refresh = self.server, self.path.endswith("/refresh/")
        if not server.online:
            self.close_connection = True
            return
        upstream = HTTPConnection(server.upstream, timeout=20)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        upstream.request(self.command, self.path, body, headers)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        if is_refresh:
            server.refreshes.append((self.headers.get("Idempotency-Key", ""), answer.status))
            delay, server.delay = server.delay, 0.0
            time.sleep(delay)
        is_lost = is_refresh and server.rng.random() < server.loss_rate
        if is_lost:
            server.lost += 1
            self.close_connection = True
        if not is_lost or server.lost % 2:
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
            self._answer(answer.status, kept, content, is_cut=is_lost)

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, is_cut: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if is_cut else content)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:  # the browser has aborted the request
            self.close_connection = True


@contextmanager
def serve_app(port: int, dist: Path) -> Iterator[AppServer]:
    """Run the origin of the app as a context manager; set `upstream` to the host and port of Latchkey."""
    with AppServer(port, dist) as app:
        thread = Thread(target=app.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield app
        finally:
            app.shutdown()
            thread.join()
