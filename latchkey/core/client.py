"""Client information of a request: IP address and User-Agent header.

The limits on attempts, the audit log and the mails about new devices take it from here, so that all of them believe
the same proxies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from ipaddress import ip_address

import structlog
from django.conf import settings

USER_AGENT_LENGTH = 255

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
        last one that the client cannot forge. Without a trusted proxy the whole header is ignored.
        """
        addresses = [environ.get("REMOTE_ADDR", "")]
        if trusted_proxies:
            addresses = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")[-trusted_proxies:]
        user_agent = environ.get("HTTP_USER_AGENT", "")[:USER_AGENT_LENGTH]
        if not user_agent.isprintable():
            user_agent = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in user_agent)
        return cls(_canonical(addresses[0]), user_agent)


def client_info(environ: Mapping[str, str]) -> ClientInfo:
    """Return the client information of a request, with as many trusted proxies as LATCHKEY_TRUSTED_PROXIES says.

    A forwarded request from a private address without trusted proxies is most likely a forgotten setting: logs it once.
    """
    client = ClientInfo.from_environ(environ, settings.TRUSTED_PROXIES)
    if "HTTP_X_FORWARDED_FOR" in environ and not settings.TRUSTED_PROXIES and client.is_private:
        _warn_untrusted_proxy()
    return client


@cache
def _warn_untrusted_proxy() -> None:
    """Log once per process that all clients behind an untrusted proxy are counted as one address."""
    log.warning("proxy.not_trusted", hint="behind a proxy set LATCHKEY_TRUSTED_PROXIES, or all clients count as one")


@lru_cache(maxsize=1024)
def _canonical(text: str) -> str | None:
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
