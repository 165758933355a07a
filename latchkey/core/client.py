"""Client information of a request: IP address and User-Agent header.

The limits on attempts, the audit log and the mails about new devices take it from here, so that all of them believe
the same proxies.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import structlog
from django.conf import settings

USER_AGENT_LENGTH = 255
WARNING_INTERVAL = 60.0
"""Seconds between two warnings of one process that the address of a client is unknown."""

PRIVATE_NETWORKS = tuple(
    map(
        ip_network,
        ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
    )
) + tuple(map(ip_network, ("::1/128", "fc00::/7", "fe80::/10")))
"""Where reverse proxies are: without X-Forwarded-For, such a peer stands for any number of clients."""

NAT64_NETWORKS = (IPv6Network("64:ff9b::/96"), IPv6Network("::ffff:0:0:0/96"))
"""Networks of translators (RFC 6052, RFC 7915): the last 32 bits are the IPv4 address of the client."""

LOCAL_NAT64 = "64:ff9b:1:"
"""Prefix of 64:ff9b:1::/48 (RFC 8215), as an address begins with it in canonical text."""

_HOST_AND_PORT = re.compile(
    r"""\[(?P<bracketed>[^\[\]]+)\](?::(?:\d{1,5}|_[\w.-]+))?
      | (?P<ipv4>[0-9.]+):(?:\d{1,5}|_[\w.-]+)
      | (?P<plain>[^\[\]]+)""",
    re.VERBOSE | re.ASCII,
)
"""`host`, `host:port`, `[host]` or `[host]:port`; the port may be an obfuscated one (RFC 7239 section 6)."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """IP address (canonical text, or None) and user agent (printable, at most 255 characters) of a client.

    "Client" in the sense of HTTP: the program that sent the request. The client of OAuth is `oauth.OAuthClient`.
    """

    address: str | None = None
    user_agent: str = ""

    @property
    def is_private(self) -> bool:
        """Return whether the address is of this machine or of a private network, as a reverse proxy's usually is."""
        return self.address is not None and ip_address(self.address).is_private

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], trusted_proxies: int) -> "ClientInfo":
        """Build the client information from a WSGI environment.

        Each trusted proxy appends the address that it saw to X-Forwarded-For, so the n-th entry from the right is the
        last one that the client cannot forge. If it cannot be read, the address is None, and never another entry: those
        to the left are the client's own words, those to the right are proxies that many clients share. A request
        without the header did not come through a proxy unless its peer is in a private network.
        Without a trusted proxy the whole header is ignored.
        """
        peer, forwarded = parse_address(environ.get("REMOTE_ADDR", "")), environ.get("HTTP_X_FORWARDED_FOR")
        if not trusted_proxies:
            address = peer
        elif forwarded is None:
            address = None if peer is None or _may_be_proxy(peer) else peer
        else:
            address = parse_address(forwarded.split(",")[-trusted_proxies:][0])
        user_agent = environ.get("HTTP_USER_AGENT", "")[:USER_AGENT_LENGTH]
        if not user_agent.isprintable():
            user_agent = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in user_agent)
        return cls(address, user_agent)


def client_info(environ: Mapping[str, str]) -> ClientInfo:
    """Return the client information of a request, with as many trusted proxies as LATCHKEY_TRUSTED_PROXIES says.

    Logs what makes the address useless: a forwarded request from a private address without trusted proxies, which is
    most likely a forgotten setting, and a header of which the address cannot be read.
    """
    client = ClientInfo.from_environ(environ, settings.TRUSTED_PROXIES)
    if "HTTP_X_FORWARDED_FOR" in environ:
        if client.address is None:
            warn_unknown_address("unreadable")
        elif not settings.TRUSTED_PROXIES and client.is_private:
            _warn_untrusted_proxy()
    return client


def warn_unknown_address(reason: str = "missing") -> None:
    """Log, at most once a minute, that there is no address to count a client by.

    The reason is `unreadable` for an entry of X-Forwarded-For, and `missing` where there is none, or a Unix socket. The
    entry itself is not logged, because it may be anything.
    """
    now = time.monotonic()
    if now >= _Warnings.next_at:
        _Warnings.next_at = now + WARNING_INTERVAL
        log.warning("proxy.address_unknown", reason=reason, hint="let the proxy set X-Forwarded-For to the IP address")


def client_network(address: str | None) -> str | None:
    """Return what counts as one address: an IPv4 address, or the /64 network that an IPv6 subscriber has.

    In 64:ff9b:1::/48 (RFC 8215) it is the whole address: there an operator's translator puts IPv4 clients. None for an
    unknown address: strangers are never counted as one, so that nobody can lock them all out (docs/decisions/0031).
    """
    if address is None:
        warn_unknown_address()
    if address is None or ":" not in address or address.startswith(LOCAL_NAT64):
        return address
    return str(ip_network(f"{address}/64", strict=False))


class _Warnings:
    """When this process may log the next warning, in monotonic seconds."""

    next_at = 0.0


@cache
def _warn_untrusted_proxy() -> None:
    """Log once per process that all clients behind an untrusted proxy are counted as one address."""
    log.warning("proxy.not_trusted", hint="behind a proxy set LATCHKEY_TRUSTED_PROXIES, or all clients count as one")


@lru_cache(maxsize=1024)
def _may_be_proxy(address: str) -> bool:
    return any(ip_address(address) in network for network in PRIVATE_NETWORKS)


@lru_cache(maxsize=1024)
def parse_address(text: str) -> str | None:
    """Return the canonical IP address of an entry of X-Forwarded-For or of a peer; None if there is none in it.

    Ports, brackets, quotes, spaces and zone ids are left aside. `unknown`, obfuscated identifiers and host names (RFC
    7239 section 6) are no addresses. An IPv4 address inside an IPv6 address is returned as such.
    """
    match = _HOST_AND_PORT.fullmatch(text.strip().removeprefix('"').removesuffix('"').strip())
    if match is None:
        return None
    host = (match["bracketed"] or match["ipv4"] or match["plain"]).strip().partition("%")[0]
    try:
        return str(_embedded_ipv4(ip_address(host)))
    except ValueError:
        return None


def _embedded_ipv4(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address in a mapped, translated (NAT64), 6to4 or Teredo address; any other address as it is.

    All clients of a translator share the first 64 bits, so that they would be counted as one network.
    """
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in NAT64_NETWORKS):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo and teredo[1]) or address
