"""Latchkey in production behind the proxy of deploy/nginx.conf: one of each for the whole folder."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from django.conf import settings

from tests.deploy.production import production
from tests.people import Person
from tests.proxy.nginx import Nginx
from tests.proxy.tls import TlsConnection, client
from tests.server import Server, fresh_database


@pytest.fixture(scope="session")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Latchkey itself, which trusts one proxy."""
    url = fresh_database(settings.DATABASE_URL) if settings.DATABASE_URL else ""
    server = production(tmp_path_factory.mktemp("behind"), url, LATCHKEY_TRUSTED_PROXIES="1").start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def proxy(tmp_path_factory: pytest.TempPathFactory, behind: Server) -> Iterator[Nginx]:
    nginx = Nginx(tmp_path_factory.mktemp("proxy") / "nginx", behind.port).start()
    yield nginx
    nginx.stop()


@pytest.fixture
def https(proxy: Nginx) -> Iterator[httpx.Client]:
    with client(proxy) as http:
        yield http


@pytest.fixture
def plain(proxy: Nginx) -> Iterator[httpx.Client]:
    """A client that does without TLS."""
    with client(proxy, "http") as http:
        yield http


@pytest.fixture
def alice(https: httpx.Client, numbers: Iterator[int]) -> Person:
    return Person(https, f"alice{next(numbers)}@example.com").register().login()


@pytest.fixture
def connect(proxy: Nginx) -> Iterator[Callable[[], TlsConnection]]:
    """Open connections through the proxy that close with the test."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(TlsConnection(proxy))
