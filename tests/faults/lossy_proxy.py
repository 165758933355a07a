"""A proxy that drops responses: the server has done its work, and the client never receives the answer."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit


class LossyProxy(ThreadingHTTPServer):
    """Forwards every POST; drops a share of the responses (loss_rate) and closes the connection instead."""

    daemon_threads, block_on_close = True, False

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), ForwardingHandler)
        self.upstream = urlsplit(url).netloc
        self.loss_rate, self.dropped, self.rng = 0.0, 0, random.Random(20)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class ForwardingHandler(BaseHTTPRequestHandler):
    """One client connection."""

    protocol_version = "HTTP/1.1"
    server: LossyProxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        upstream = HTTPConnection(self.server.upstream, timeout=20)
        upstream.request("POST", self.path, body, {"Content-Type": self.headers["Content-Type"]})
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        if self.server.rng.random() < self.server.loss_rate:
            self.server.dropped += 1
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def lossy_proxy(url: str) -> Iterator[LossyProxy]:
    """Run a proxy in front of the server at this URL."""
    with LossyProxy(url) as proxy:
        thread = Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()
