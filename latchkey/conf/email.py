"""SMTP configuration: EMAIL_URL parsed into the arguments of Django's e-mail backends, and the sender address."""

import re
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import quote
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from email_validator import validate_email

from latchkey.conf.urls import normalize_host

PORTS = {"smtp": 587, "smtps": 465}
"""Default ports of mail submission: with STARTTLS (RFC 6409), and with implicit TLS (RFC 8314)."""
CONSOLE_BACKEND = "django.core.mail.backends.console.EmailBackend"
INVALID_URL = (
    "EMAIL_URL cannot be read; write 'smtp://user:password@host:587', "
    "'smtps://user:password@host:465' or 'console://', and %40 for an @ in the password (docs/mail.md)."
)
_NAMED_ADDRESS = re.compile(r"([^\r\n]*)<([^<>]*)>")
_ADDRESS_IN_NAME = re.compile(r"<[^>]*@[^>]*>")
TIMEOUT, MAX_TIMEOUT = 30, 120  # seconds, for each response of the server


def parse_email_url(url: str) -> dict[str, Any] | None:
    """Return the arguments of `django.core.mail.get_connection`; None for an empty URL, which turns mail off.

    'smtp://' requires STARTTLS: a server that does not offer it, or an attacker in between who removes the offer, gets
    neither the password nor the mail. Raises ImproperlyConfigured. The URL is not repeated in the message, because it
    may contain a password.
    """
    if not url:
        return None
    if url == "console://":
        return {"backend": CONSOLE_BACKEND}
    try:
        parts = urlsplit(url)
        port = PORTS[parts.scheme] if parts.port is None else parts.port
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except (ValueError, KeyError):
        raise ImproperlyConfigured(INVALID_URL) from None
    if parts.scheme not in PORTS or not parts.hostname or not port or parts.path not in ("", "/") or parts.fragment:
        raise ImproperlyConfigured(INVALID_URL)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise ImproperlyConfigured("EMAIL_URL has a user without a password, or a password without a user.")
    encrypted = _parse_tls(parts.scheme, options.pop("tls", "on"), bool(user))
    timeout = _parse_timeout(options.pop("timeout", str(TIMEOUT)))
    if options:
        raise ImproperlyConfigured("EMAIL_URL has an unknown option; the known ones are 'tls' and 'timeout'.")
    return {
        "backend": "latchkey.mail.smtp.EmailBackend",
        "host": parts.hostname,
        "port": port,
        "username": user,
        "password": password,
        "use_tls": encrypted and parts.scheme == "smtp",
        "use_ssl": parts.scheme == "smtps",
        "timeout": timeout,
    }


def parse_from_address(text: str, public_url: str) -> str:
    """Return the sender address of mails, such as 'Example <no-reply@example.com>'; raises ImproperlyConfigured.

    The default is no-reply at the host of the public URL. A name needs no quotes: what a header needs is added here
    (RFC 5322 section 3.2.4), and Django encodes a name that is not ASCII.
    """
    if not text:
        with suppress(ValueError):  # not a URL: the system checks report that
            return f"Latchkey <no-reply@{urlsplit(public_url).hostname or 'localhost'}>"
        return "Latchkey <no-reply@localhost>"
    invalid = f"LATCHKEY_EMAIL_FROM is {text!r}; write one address, such as 'Example <no-reply@example.com>'."
    named = _NAMED_ADDRESS.fullmatch(text.strip())
    name, address = (named[1].strip(), named[2]) if named else ("", text.strip())
    try:
        address = _parse_ascii_address(address)
    except ValueError as error:
        raise ImproperlyConfigured(invalid) from error
    if not name.isprintable() or _ADDRESS_IN_NAME.search(name):
        raise ImproperlyConfigured(invalid)
    return f"{_quote_name(name)} <{address}>" if name else address


def _parse_ascii_address(address: str) -> str:
    """Return an address with its domain in ASCII; raises ValueError.

    The library refuses domains of special use, such as 'company.local', which an operator may have; so a stand-in for
    the domain is checked where ours is ASCII.
    """
    local, _, domain = address.rpartition("@")
    checked = validate_email(f"{local}@{'example.com' if domain.isascii() else domain}", check_deliverability=False)
    if not checked.ascii_local_part:
        raise ValueError("not ASCII")
    return f"{checked.ascii_local_part}@{normalize_host(domain if domain.isascii() else checked.ascii_domain)}"


def _quote_name(name: str) -> str:
    """Return a display name as a phrase of RFC 5322: in quotes if it has characters with a meaning there."""
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    with suppress(HeaderParseError, LookupError, UnicodeError):
        name = str(make_header(decode_header(name)))  # encoded words, as a mail program shows them (RFC 2047)
    return f'"{quote(name)}"' if re.search(r'[][\\()<>@,:;".]', name) else name


def _parse_tls(scheme: str, tls: str, has_password: bool) -> bool:
    if tls not in ("on", "off") or (scheme == "smtps" and tls == "off"):
        raise ImproperlyConfigured("EMAIL_URL has an invalid tls: it must be 'on', or 'off' with 'smtp://'.")
    if tls == "off" and has_password:
        raise ImproperlyConfigured("EMAIL_URL would send the password unencrypted; remove tls=off.")
    return tls == "on"


def _parse_timeout(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 4 and 0 < int(text) <= MAX_TIMEOUT):
        raise ImproperlyConfigured(f"EMAIL_URL has an invalid timeout: it must be from 1 to {MAX_TIMEOUT} seconds.")
    return int(text)
