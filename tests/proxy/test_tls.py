"""TLS at nginx: versions 1.2 and 1.3, ciphers with forward secrecy, HTTP/2 and HSTS."""

import socket
import ssl
import warnings

import httpx
import pytest

from tests.proxy.nginx import Nginx
from tests.proxy.tls_client import TlsConnection, trusting_context
from tests.support.production import HOST

pytestmark = pytest.mark.proxy

STRONG = ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"]
WEAK = ["AES128-SHA", "AES256-SHA", "AES128-GCM-SHA256", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA", "ADH-AES128-SHA"]
WEAK += ["ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-SHA", "NULL-SHA256"]


def speaking(proxy: Nginx, version: ssl.TLSVersion, ciphers: str = "ALL") -> ssl.SSLContext:
    """Return a TLS context with only this version and these ciphers, however weak."""
    context = trusting_context(proxy.certificate)
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.ledger("ASVS-12.1.1")
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_proxy_accepts_tls_1_2_and_1_3(proxy: Nginx, version: str) -> None:
    with TlsConnection(proxy, context=speaking(proxy, ssl.TLSVersion[version])) as connection:
        assert connection.tls.version() == version.replace("_", ".")


@pytest.mark.ledger("ASVS-12.1.1")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_proxy_refuses_tls_1_0_and_1_1(proxy: Nginx, version: str) -> None:
    with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
        TlsConnection(proxy, context=speaking(proxy, ssl.TLSVersion[version]))


@pytest.mark.ledger("ASVS-12.1.2")
@pytest.mark.parametrize("cipher", STRONG)
def test_proxy_accepts_aead_ciphers_with_forward_secrecy(proxy: Nginx, cipher: str) -> None:
    with TlsConnection(proxy, context=speaking(proxy, ssl.TLSVersion.TLSv1_2, cipher)) as connection:
        agreed = connection.tls.cipher()
        assert agreed is not None
        assert agreed[0] == cipher


@pytest.mark.ledger("ASVS-12.1.2")
@pytest.mark.parametrize("cipher", WEAK)
def test_proxy_refuses_weak_ciphers(proxy: Nginx, cipher: str) -> None:
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        TlsConnection(proxy, context=speaking(proxy, ssl.TLSVersion.TLSv1_2, cipher))


def test_proxy_refuses_the_tls_handshake_for_an_unknown_host_name(proxy: Nginx) -> None:
    context = trusting_context(proxy.certificate)
    for name, known in ((HOST, True), ("evil.example", False)):
        with socket.create_connection(("127.0.0.1", proxy.https), timeout=5) as plain:
            if known:
                context.wrap_socket(plain, server_hostname=name).close()
            else:
                with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
                    context.wrap_socket(plain, server_hostname=name)


def test_proxy_offers_http_2(proxy: Nginx) -> None:
    context = trusting_context(proxy.certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with TlsConnection(proxy, context=context) as connection:
        assert connection.tls.selected_alpn_protocol() == "h2"


@pytest.mark.ledger("ASVS-12.2.1")
@pytest.mark.parametrize("path", ["/", "/api/", "/api/me/", "/nothing", "/static/latchkey/home.css"])
def test_proxy_sends_hsts_with_every_response(https: httpx.Client, path: str) -> None:
    assert https.get(path).headers.get_list("strict-transport-security") == [
        "max-age=63072000; includeSubDomains; preload"
    ]
