"""TLS clients of a reverse proxy: raw connections for hand-written requests, and httpx clients."""

import ssl
from pathlib import Path
from typing import Protocol

import httpx

from tests.proxy.nginx import Nginx
from tests.support.http_connection import HOST_HEADER as HOST_LINE
from tests.support.http_connection import Connection
from tests.support.production import HOST

PUBLIC_HOST_HEADER = f"Host: {HOST}\r\n".encode()


def with_public_host(whole: bytes) -> bytes:
    """Return the request with the host name of the proxy."""
    return whole.replace(HOST_LINE, PUBLIC_HOST_HEADER, 1)


def trusting_context(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


class TlsConnection(Connection):
    """A connection to the https port of the proxy that verifies its certificate."""

    def __init__(self, proxy: Nginx, timeout: float = 5, context: ssl.SSLContext | None = None) -> None:
        super().__init__(proxy.https, timeout)
        with_context = context or trusting_context(proxy.certificate)
        self.socket = self.tls = with_context.wrap_socket(self.socket, server_hostname=HOST)


class ProxyAddress(Protocol):
    """The ports and the certificate of a proxy."""

    http: int
    https: int
    certificate: Path


def proxy_client(proxy: ProxyAddress, scheme: str = "https") -> httpx.Client:
    """Return a client that connects to the proxy under its host name, without DNS, and follows no redirect."""
    port = proxy.https if scheme == "https" else proxy.http
    return httpx.Client(
        base_url=f"{scheme}://127.0.0.1:{port}",
        headers={"Host": HOST},
        transport=SniTransport(verify=trusting_context(proxy.certificate)),
    )


class SniTransport(httpx.HTTPTransport):
    """A transport that sends the host name of the tests as SNI."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = HOST
        return super().handle_request(request)
