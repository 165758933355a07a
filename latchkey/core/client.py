"""Who is calling, as far as the network can tell."""

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
    """The address (canonical text, or None) and the user agent (printable, at most 255 characters) of a caller."""

    address: str | None = None
    user_agent: str = ""

    @property
    def is_private(self) -> bool:
        """Tell whether the address is of this machine or of a private network, as that of a proxy is."""
        return self.address is not None and ip_address(self.address).is_private

    @classmethod
    def from_environ(cls, headers: Mapping[str, str], trusted_proxies: int) -> "ClientInfo":
        """Read a WSGI environment.

        Each trusted proxy appends the address it saw to X-Forwarded-For, so the n-th entry from the
        right is the last one that a stranger cannot write; with no trusted proxy the header is noise.
        """
        chain = [headers.get("REMOTE_ADDR", "")]
        if trusted_proxies:
            chain = headers.get("HTTP_X_FORWARDED_FOR", "").split(",")[-trusted_proxies:]
        user_agent = headers.get("HTTP_USER_AGENT", "")[:USER_AGENT_LENGTH]
        if not user_agent.isprintable():
            user_agent = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in user_agent)
        return cls(_canonical(chain[0]), user_agent)


def client_info(environ: Mapping[str, str]) -> ClientInfo:
    """Return who sent the request of this WSGI environment, as vouched for by the trusted proxies."""
    client = ClientInfo.from_environ(environ, settings.TRUSTED_PROXIES)
    if "HTTP_X_FORWARDED_FOR" in environ and not settings.TRUSTED_PROXIES and client.is_private:
        _warn_untrusted_proxy()
    return client


@cache
def _warn_untrusted_proxy() -> None:
    """Say once in a process that all clients behind a proxy count as one, for the limits on guessing."""
    log.warning("proxy.not_trusted", hint="behind a proxy set LATCHKEY_TRUSTED_PROXIES, or all clients count as one")


@lru_cache(maxsize=1024)
def _canonical(text: str) -> str | None:
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
