"""Fixtures: one Latchkey in production mode behind one nginx with deploy/nginx.conf, for the whole folder."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from django.conf import settings

from tests.people import Person
from tests.proxy.nginx import Nginx
from tests.proxy.tls_client import TlsConnection, proxy_client
from tests.server import Server, create_database
from tests.support.production import production_server


@pytest.fixture(scope="session")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The Latchkey behind the proxy, which trusts one proxy."""
    url = create_database(settings.DATABASE_URL) if settings.DATABASE_URL else ""
    server = production_server(tmp_path_factory.mktemp("behind"), url, LATCHKEY_TRUSTED_PROXIES="1").start()
    server.raise_address_limits()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def proxy(tmp_path_factory: pytest.TempPathFactory, upstream: Server) -> Iterator[Nginx]:
    nginx = Nginx(tmp_path_factory.mktemp("proxy") / "nginx", upstream.port).start()
    yield nginx
    nginx.stop()


@pytest.fixture
def https(proxy: Nginx) -> Iterator[httpx.Client]:
    with proxy_client(proxy) as http:
        yield http


@pytest.fixture
def plain_http(proxy: Nginx) -> Iterator[httpx.Client]:
    """A client without TLS."""
    with proxy_client(proxy, "http") as http:
        yield http


@pytest.fixture
def alice(https: httpx.Client, unique_numbers: Iterator[int]) -> Person:
    return Person(https, f"alice{next(unique_numbers)}@example.com").register().login()


@pytest.fixture
def connect(proxy: Nginx) -> Iterator[Callable[[], TlsConnection]]:
    """Open connections to the proxy that close at the end of the test."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(TlsConnection(proxy))
