"""Latchkey behind the Caddy of deploy/Caddyfile."""

from collections.abc import Iterator
from pathlib import Path

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


def test_caddy_passes_on_what_is_good_and_says_what_is_not_as_latchkey_does(caddy: Caddy, node: Server) -> None:
    with proxy_client(caddy) as https:
        alice = Person(https, "alice@example.com").register()
        https.headers["X-Forwarded-For"] = "203.0.113.7"  # mallory's word
        assert alice.login().refresh().me().status_code == 200
        assert "203.0.113.7" not in node.log.read_text()
        assert '"ip": "127.0.0.1"' in node.log.read_text()
        assert "max-age" in alice.me().headers["Strict-Transport-Security"]
        assert_problem(https.post("/api/login/", content=b"x" * 100_000), 413, "content_too_large")
        node.kill()
        assert_problem(alice.try_refresh(), 503, "unavailable")
        node.restart()
        assert alice.refresh().logout().status_code == 200


def test_caddy_takes_nothing_over_http_and_leads_people_to_https(caddy: Caddy) -> None:
    with proxy_client(caddy, "http") as plain:
        told = plain.post("/api/login/", json={"email": "alice@example.com", "password": "x"})
        assert_problem(told, 403, "permission_denied")
        page = plain.get("/admin/?next=secret")
        assert page.status_code == 301
        assert page.headers["Location"] == "https://auth.example.com/admin/"
    with pytest.raises(httpx.TransportError), httpx.Client(verify=False) as nobody:
        nobody.get(f"https://127.0.0.1:{caddy.https}/")
