"""What comes in from outside comes over TLS 1.2 or 1.3, with keys that are forgotten afterwards."""

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
    """Return a context that speaks this version alone, and whatever else it is told to, however weak."""
    context = trusting_context(proxy.certificate)
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.ledger("ASVS-12.1.1")
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_tls_1_2_and_1_3_are_spoken(proxy: Nginx, version: str) -> None:
    with TlsConnection(proxy, context=speaking(proxy, ssl.TLSVersion[version])) as connection:
        assert connection.tls.version() == version.replace("_", ".")


@pytest.mark.ledger("ASVS-12.1.1")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_older_versions_are_not_spoken(proxy: Nginx, version: str) -> None:
    with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
        TlsConnection(proxy, context=speaking(proxy, ssl.TLSVersion[version]))


@pytest.mark.ledger("ASVS-12.1.2")
@pytest.mark.parametrize("cipher", STRONG)
def test_ciphers_with_forward_secrecy_are_agreed_on(proxy: Nginx, cipher: str) -> None:
    with TlsConnection(proxy, context=speaking(proxy, ssl.TLSVersion.TLSv1_2, cipher)) as connection:
        agreed = connection.tls.cipher()
        assert agreed is not None
        assert agreed[0] == cipher


@pytest.mark.ledger("ASVS-12.1.2")
@pytest.mark.parametrize("cipher", WEAK)
def test_no_other_cipher_is_agreed_on(proxy: Nginx, cipher: str) -> None:
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        TlsConnection(proxy, context=speaking(proxy, ssl.TLSVersion.TLSv1_2, cipher))


def test_a_client_that_names_another_host_gets_no_handshake(proxy: Nginx) -> None:
    context = trusting_context(proxy.certificate)
    for name, known in ((HOST, True), ("evil.example", False)):
        with socket.create_connection(("127.0.0.1", proxy.https), timeout=5) as plain:
            if known:
                context.wrap_socket(plain, server_hostname=name).close()
            else:
                with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
                    context.wrap_socket(plain, server_hostname=name)


def test_http_2_is_offered(proxy: Nginx) -> None:
    context = trusting_context(proxy.certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with TlsConnection(proxy, context=context) as connection:
        assert connection.tls.selected_alpn_protocol() == "h2"


@pytest.mark.ledger("ASVS-12.2.1")
@pytest.mark.parametrize("path", ["/", "/api/", "/api/me/", "/nothing", "/static/latchkey/home.css"])
def test_every_answer_asks_for_tls_from_now_on(https: httpx.Client, path: str) -> None:
    assert https.get(path).headers.get_list("strict-transport-security") == [
        "max-age=63072000; includeSubDomains; preload"
    ]
