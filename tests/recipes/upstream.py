"""An upstream service behind a proxy that echoes the identity headers it receives."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

IDENTITY_HEADERS = {
    "user": "x-user-id",
    "session": "x-session-id",
    "roles": "x-user-roles",
    "client": "x-client-id",
    "scope": "x-scope",
}


class EchoIdentityHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        identity: dict[str, object] = {}
        for name, header in IDENTITY_HEADERS.items():
            values = self.all_spellings(header)
            identity[name] = values[0] if len(values) == 1 else values or ""
        identity |= {"email_verified": self.headers.get_all("X-User-Email-Verified") == ["true"]}
        body = json.dumps(identity | {"authorization": self.headers["Authorization"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def all_spellings(self, wanted: str) -> list[str]:
        """Return the values of a header, also if it has underscores: WSGI and CGI take X_User_Id for X-User-Id."""
        return [value for name, value in self.headers.items() if name.lower().replace("_", "-") == wanted]

    def log_message(self, *args: object) -> None:
        """Log nothing."""


@contextmanager
def run_upstream() -> Iterator[int]:
    """Serve on a free port, which is yielded."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EchoIdentityHandler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join(5)
