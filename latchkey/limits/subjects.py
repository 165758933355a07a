"""Whom an attempt is charged to."""

import hmac
from dataclasses import dataclass
from ipaddress import ip_network

from latchkey.core.client import Client
from latchkey.core.secrets import keys_for


@dataclass(frozen=True, slots=True)
class Subject:
    """The keyed digests of an account ('' where none is tried) and of the place that the attempt comes from."""

    account: str
    place: str


def signing_in(email: str, client: Client) -> Subject:
    """Name the subject of a sign-in; email is canonical, and may belong to nobody."""
    return Subject(account_digest(email), _digest("place", "login", network(client.address)))


def registering(client: Client) -> Subject:
    """Name the subject of a registration, which is counted apart from sign-ins."""
    return Subject("", _digest("place", "registration", network(client.address)))


def account_digest(email: str) -> str:
    return _digest("account", email)


def network(address: str | None) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 that every IPv6 subscriber has to himself."""
    if address is None or ":" not in address:
        return address or "unknown"
    return str(ip_network(f"{address}/64", strict=False))


def _digest(*parts: str) -> str:
    return hmac.digest(keys_for("attempts")[0], "\0".join(parts).encode(), "sha256")[:16].hex()
