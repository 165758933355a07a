"""URLs, origins and host names of environment variables, in the spelling that browsers and clients send.

`HTTPS://App.Example.com:443/` is the same origin as `https://app.example.com`, but as text it never equals what a
browser sends. So each value is either normalized (RFC 3986 section 6.2), or a ValueError that says what to write.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

LISTEN_URL = "LATCHKEY_LISTEN_URL"
"""Variable that `latchkey serve` sets for its own processes: where it listens. In development it is the public URL."""

DEFAULT_PORTS = {"http": 80, "https": 443}
NOT_ORIGINS = frozenset({"about", "blob", "data", "file", "ftp", "javascript", "ws", "wss"})
"""Schemes whose pages have no origin of their own, or whose connections are none of a page (HTML standard, origin)."""

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_PORT_AT_END = re.compile(r"(?<=[^:]):[0-9]{1,5}$")
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of a URL: scheme, host (an IPv6 address in brackets), port (None for the default) and path."""

    scheme: str
    host: str
    port: int | None
    path: str

    @property
    def origin(self) -> str:
        """Return the origin as a browser sends it (RFC 6454 section 6.2)."""
        return f"{self.scheme}://{self.host}" + (f":{self.port}" if self.port is not None else "")


def parse_url(text: str) -> Url:
    """Parse a URL with a host, and with nothing behind its path; raises ValueError."""
    scheme, separator, _ = text.lower().partition("://")
    if not separator or not _SCHEME.fullmatch(scheme) or not text.isascii() or re.search(r"[\s\\\x00-\x20\x7f]", text):
        raise ValueError("not a URL")
    parts = urlsplit(text)
    if "@" in parts.netloc or any(mark in text for mark in "?#"):
        raise ValueError("more than scheme, host, port and path")
    name, port = parts.netloc, parts.port  # .port raises ValueError
    if port is not None or name.endswith(":"):
        name = name.rpartition(":")[0]
    return Url(scheme, normalize_host(name), None if port == DEFAULT_PORTS.get(scheme) else port, parts.path)


def normalize_host(text: str) -> str:
    """Return a host name in lower case, or an IP address in its canonical form; raises ValueError."""
    host = text.lower().removesuffix(".")
    if host.startswith("[") and host.endswith("]"):
        return f"[{ip_address(host[1:-1])}]"
    if not _NAME.fullmatch(host):
        raise ValueError("not a host")
    if host.replace(".", "").isdecimal():
        return str(ip_address(host))
    return host


def parse_base_url(text: str) -> str:
    """Return an http or https URL without a slash at its end; raises ValueError."""
    url = parse_url(text)
    path = url.path.rstrip("/")
    if url.scheme not in DEFAULT_PORTS or not _PATH.fullmatch(path):
        raise ValueError("not a URL of this kind")
    return url.origin + path


def parse_endpoint(text: str) -> str:
    """Return the URL of a collector as it is, where it has a host; it may have a password, too. Raises ValueError."""
    scheme, _, rest = text.partition("://")
    parse_base_url(f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}")
    return text


def parse_origin(text: str) -> str:
    """Return an origin: a scheme, a host and a port; raises ValueError.

    Apps in a web view have schemes of their own: 'capacitor://localhost', 'tauri://localhost'.
    """
    url = parse_url(text)
    if url.path not in ("", "/") or url.scheme in NOT_ORIGINS:
        raise ValueError("not an origin")
    return url.origin


def parse_allowed_host(text: str) -> str:
    """Return a host as Django's ALLOWED_HOSTS has it: no port, '.example.com' for all subdomains, or '*'.

    A URL or an address with a port is taken for its host. Raises ValueError.
    """
    if text == "*":
        return text
    if "://" in text:
        url = parse_url(text)
        if url.path not in ("", "/"):
            raise ValueError("not a host")
        return url.host
    if text.count(":") > 1 and not text.startswith("["):
        text = f"[{text}]"  # an IPv6 address
    host = _PORT_AT_END.sub("", text)
    return "." * host.startswith(".") + normalize_host(host.removeprefix("."))


def build_listen_url(host: str, port: int) -> str:
    """Return the URL at which a browser of this machine reaches a server on this address; raises ValueError."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not a bind: any address is no address
    return parse_base_url(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")


def is_loopback(origin: str) -> bool:
    """Return whether an origin is of the user's own machine, which browsers trust without TLS (Secure Contexts 3.1)."""
    host = parse_url(origin).host.strip("[]")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
