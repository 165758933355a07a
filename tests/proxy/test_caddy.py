"""Latchkey behind Caddy with deploy/Caddyfile."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.proxy.caddy import Caddy
from tests.proxy.tls_client import proxy_client
from tests.server import Server
from tests.support.production import production_server

pytestmark = pytest.mark.proxy


@pytest.fixture
def node(tmp_path: Path, database_url: str) -> Iterator[Server]:
    server = production_server(tmp_path / "node", database_url, LATCHKEY_TRUSTED_PROXIES="1").start()
    yield server
    server.kill()


@pytest.fixture
def caddy(tmp_path: Path, node: Server) -> Iterator[Caddy]:
    running = Caddy(tmp_path / "caddy", node.port).start()
    yield running
    running.stop()


def test_caddy_forwards_requests_and_returns_its_errors_as_problem_documents(caddy: Caddy, node: Server) -> None:
    with proxy_client(caddy) as https:
        alice = Person(https, "alice@example.com").register()
        https.headers["X-Forwarded-For"] = "203.0.113.7"  # forged by the client
        assert alice.login().refresh().me().status_code == 200
        assert "203.0.113.7" not in node.log.read_text()
        assert '"ip": "127.0.0.1"' in node.log.read_text()
        assert "max-age" in alice.me().headers["Strict-Transport-Security"]
        assert_problem(https.post("/api/login/", content=b"x" * 100_000), 413, "content_too_large")
        node.kill()
        assert_problem(alice.try_refresh(), 503, "unavailable")
        node.restart()
        assert alice.refresh().logout().status_code == 200


def test_caddy_refuses_the_api_over_http_and_redirects_pages_to_https(caddy: Caddy) -> None:
    with proxy_client(caddy, "http") as plain:
        answer = plain.post("/api/login/", json={"email": "alice@example.com", "password": "x"})
        assert_problem(answer, 403, "permission_denied")
        page = plain.get("/admin/?next=secret")
        assert page.status_code == 301
        assert page.headers["Location"] == "https://auth.example.com/admin/"
    with pytest.raises(httpx.TransportError), httpx.Client(verify=False) as without_sni:
        without_sni.get(f"https://127.0.0.1:{caddy.https}/")


def test_caddy_drops_headers_with_underscores(tmp_path: Path) -> None:
    received: list[str] = []

    class Upstream(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            received.extend(self.headers.keys())
            self.send_response(204)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Upstream) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        caddy = Caddy(tmp_path / "caddy", server.server_port).start()
        try:
            with proxy_client(caddy) as https:
                names = ("X_User_Id", "X_Forwarded_For", "x_forwarded_proto", "X-Forwarded_Host", "_", "X-Kept")
                assert https.get("/livez", headers=dict.fromkeys(names, "0")).status_code == 204
        finally:
            caddy.stop()
            server.shutdown()
    assert "X-Kept" in received
    assert [name for name in received if "_" in name] == []


@pytest.mark.parametrize("path", ["/%61dmin/login/", "/admin%2Flogin/", "/api/%6de/", "/api/me%2f", "/livez%3f"])
def test_caddy_refuses_escapes_in_paths(caddy: Caddy, node: Server, path: str) -> None:
    with proxy_client(caddy) as https:
        assert https.get("/livez?x=%61").status_code == 200
        assert_problem(https.get(path), 404, "not_found")
    assert "admin" not in node.log.read_text().partition("Press Ctrl-C")[2]
