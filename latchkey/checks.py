"""Numbered system checks: what must not go into production, or could not work.

E001 holds everywhere. The rest is asked in production alone: `latchkey check --deploy` lists it, `latchkey serve`
does not start over it, and commands that serve nobody (migrate, prune) run on. No message repeats a secret.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from latchkey.conf.database import network_file_system, read_mounts
from latchkey.conf.email import CONSOLE_BACKEND

SECRET_LENGTH, SECRET_VARIETY = 50, 5
"""The fewest characters, and different characters, of a secret key; the same as in Django's security.W009."""

NEW_KEY_HINT = """Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(64))"."""


@register(Tags.database)
def sqlite_is_new_enough(**kwargs: Any) -> list[CheckMessage]:
    """UPDATE ... FROM ... RETURNING needs SQLite 3.35."""
    on_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    if on_sqlite and sqlite3.sqlite_version_info < (3, 35):
        hint = "Use a newer Python build, or PostgreSQL through DATABASE_URL."
        return [Error(f"SQLite {sqlite3.sqlite_version} is too old; 3.35 is needed.", hint=hint, id="latchkey.E001")]
    return []


@register(Tags.security, deploy=True)
def production_is_safe(**kwargs: Any) -> list[CheckMessage]:
    """Return what an operator has to mend before strangers may reach a production server."""
    if not settings.PRODUCTION:
        return []
    return [
        *weak_secrets(),
        *allowed_hosts(),
        *insecure_public_url(),
        *insecure_origins(),
        *console_email_backend(),
        *sqlite_on_network(settings.DATABASES["default"], read_mounts()),
    ]


def require_safe_configuration() -> None:
    """Raise ImproperlyConfigured, with a line for each problem: what `latchkey serve` asks before it does anything."""
    if problems := production_is_safe():
        raise ImproperlyConfigured("\nlatchkey: ".join(f"{one.msg} {one.hint} ({one.id})" for one in problems))


def weak_secrets() -> Iterator[CheckMessage]:
    """Every key is derived from the secret: whoever guesses it can be anybody (RFC 8725 section 3.5)."""
    if weakness := weakness_of(settings.SECRET_KEY):
        yield Error(f"LATCHKEY_SECRET_KEY {weakness}.", hint=NEW_KEY_HINT, id="latchkey.E002")
    for number, fallback in enumerate(settings.SECRET_KEY_FALLBACKS, start=1):
        if weakness := weakness_of(fallback):
            hint = "Drop it: tokens of whoever guesses it would be believed."
            yield Error(f"Key {number} of LATCHKEY_SECRET_KEY_FALLBACKS {weakness}.", hint=hint, id="latchkey.E003")


def weakness_of(secret: str) -> str:
    if secret.startswith("django-insecure-"):
        return "begins with 'django-insecure-', so it was made for development"
    if len(secret) < SECRET_LENGTH:
        return f"has {len(secret)} characters; it needs {SECRET_LENGTH} or more"
    if len(set(secret)) < SECRET_VARIETY:
        return f"has fewer than {SECRET_VARIETY} different characters, so it is not random"
    return ""


def allowed_hosts() -> Iterator[CheckMessage]:
    """A Host header of the client's choice must not get into links and redirects."""
    hint = "Name the hosts that clients use, such as 'auth.example.com', or '.example.com' for all below it."
    if not settings.ALLOWED_HOSTS:
        yield Error("LATCHKEY_ALLOWED_HOSTS is not set.", hint=hint, id="latchkey.E004")
    elif any("*" in host for host in settings.ALLOWED_HOSTS):
        yield Error("LATCHKEY_ALLOWED_HOSTS contains '*'.", hint=hint, id="latchkey.E004")


def insecure_public_url() -> Iterator[CheckMessage]:
    """Passwords and tokens travel over TLS alone, and the issuer of a token is an https URL (RFC 8414 section 2)."""
    hint = "Give the address that clients use, such as 'https://auth.example.com'."
    url = settings.PUBLIC_URL
    if not url:
        yield Error("LATCHKEY_PUBLIC_URL is not set.", hint=hint, id="latchkey.E005")
    elif not is_https(url):
        yield Error(f"LATCHKEY_PUBLIC_URL is {url!r}, which is not https.", hint=hint, id="latchkey.E005")


def insecure_origins() -> Iterator[CheckMessage]:
    """A page that came over http can be anybody's, and so can a page that '*' or 'null' stands for."""
    hint = "Name each origin, such as 'https://app.example.com'."
    for origin in settings.CORS_ALLOWED_ORIGINS:
        if not is_https(origin):
            message = f"LATCHKEY_CORS_ORIGINS contains {origin!r}, which is not an https origin."
            yield Error(message, hint=hint, id="latchkey.E006")


def console_email_backend() -> Iterator[CheckMessage]:
    """Whoever reads the log could set anybody's password: the links would be in it."""
    if settings.MAIL_SERVER and settings.MAIL_SERVER["backend"] == CONSOLE_BACKEND:
        hint = "Name a mail server, or leave it out."
        yield Error("EMAIL_URL is 'console://', which prints mails into the log.", hint=hint, id="latchkey.E013")


def sqlite_on_network(database: dict[str, Any], mounts: str) -> Iterator[CheckMessage]:
    """Several nodes need PostgreSQL: they cannot share an SQLite file, whose locks no network file system keeps."""
    if not database["ENGINE"].endswith("sqlite3"):
        return
    if kind := network_file_system(Path(database["NAME"]).resolve(), mounts):
        hint = "Use a local disk for one node, or PostgreSQL through DATABASE_URL for several."
        yield Error(f"The SQLite database is on a network file system ({kind}).", hint=hint, id="latchkey.E007")


def is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # such as a bracket that never closes
        return False
    return parts.scheme == "https" and bool(parts.hostname) and "*" not in url
