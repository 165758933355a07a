"""Whom an attempt is charged to."""

import hmac
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network

from latchkey.core.client import Client
from latchkey.core.secrets import keys_for


class Attempted(StrEnum):
    """What is attempted; each is counted apart from the others."""

    SIGN_IN = "sign-in"
    REGISTRATION = "registration"
    MAIL = "mail"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Subject:
    """The keyed digests of an account ('' where none is tried) and of the place that the attempt comes from."""

    account: str
    place: str
    attempted: Attempted = Attempted.SIGN_IN


def signing_in(email: str, client: Client) -> Subject:
    """Name the subject of a sign-in; email is canonical, and may belong to nobody."""
    return Subject(account_digest(email), _digest("place", "login", network(client.address)))


def registering(client: Client) -> Subject:
    """Name the subject of a registration."""
    return Subject("", _digest("place", "registration", network(client.address)), Attempted.REGISTRATION)


def mailing(email: str, client: Client) -> Subject:
    """Name the subject of a mail that somebody has sent to an address, which is canonical and may be nobody's."""
    return _of_mailbox(Attempted.MAIL, email, client)


def typing_code(email: str, client: Client) -> Subject:
    """Name the subject of a code out of a mail to this canonical address.

    It is not that of a sign-in: whoever guesses at a password must not keep its owner from setting a new one.
    """
    return _of_mailbox(Attempted.CODE, email, client)


def _of_mailbox(attempted: Attempted, email: str, client: Client) -> Subject:
    place = _digest("place", attempted, network(client.address))
    return Subject(_digest("account", attempted, email), place, attempted)


def account_digest(email: str) -> str:
    return _digest("account", email)


def network(address: str | None) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 that every IPv6 subscriber has to himself."""
    if address is None or ":" not in address:
        return address or "unknown"
    return str(ip_network(f"{address}/64", strict=False))


def _digest(*parts: str) -> str:
    return hmac.digest(keys_for("attempts")[0], "\0".join(parts).encode(), "sha256")[:16].hex()
