"""Fixtures: two nodes on one PostgreSQL behind nginx with deploy/nginx.conf. Not collected on SQLite."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.nodes.traffic import Traffic
from tests.proxy.nginx import Nginx
from tests.server import Server
from tests.support.production import production_server

collect_ignore_glob = [] if settings.DATABASE_URL else ["test_*"]

TRUST_ONE_PROXY = {"LATCHKEY_TRUSTED_PROXIES": "1"}


@pytest.fixture
def nodes(tmp_path: Path, database_url: str) -> Iterator[list[Server]]:
    """Two servers in production mode that differ only in their port."""
    both = [production_server(tmp_path / name, database_url, **TRUST_ONE_PROXY).start() for name in ("one", "two")]
    both[0].raise_address_limits()
    yield both
    for node in both:
        node.kill()


@pytest.fixture
def proxy(tmp_path: Path, nodes: list[Server]) -> Iterator[Nginx]:
    nginx = Nginx(tmp_path / "proxy", *(node.port for node in nodes)).start()
    yield nginx
    nginx.stop()


@pytest.fixture
def traffic(proxy: Nginx) -> Iterator[Callable[..., Traffic]]:
    """Send load of all kinds through the proxy: `with traffic() as clients`."""
    begun: list[Traffic] = []

    def begin() -> Traffic:
        begun.append(Traffic(proxy))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()
