"""System checks latchkey.E001 to E007 and E013: unsafe configuration of production, and an unsupported SQLite.

E001 is checked always, the others in production: `latchkey check --deploy` lists them, and `latchkey serve` does not
start. Commands that answer no requests (migrate, prune) still run. No message repeats a secret.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from latchkey.conf.database import network_file_system, read_mounts
from latchkey.conf.email import CONSOLE_BACKEND
from latchkey.conf.policy import Policy, current_policy
from latchkey.conf.urls import is_loopback

SECRET_LENGTH, SECRET_VARIETY = 50, 5
"""Minimum length of a secret key, and minimum number of different characters; as in Django's security.W009."""

NEW_KEY_HINT = """Generate one with: python3 -c "import secrets; print(secrets.token_urlsafe(64))"."""


@register(Tags.database)
def sqlite_is_new_enough(**kwargs: Any) -> list[CheckMessage]:
    """Report an SQLite without UPDATE ... FROM ... RETURNING, which came with 3.35 (E001)."""
    on_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    if on_sqlite and sqlite3.sqlite_version_info < (3, 35):
        hint = "Use a Python build with a newer SQLite, or set DATABASE_URL to a PostgreSQL database."
        return [Error(f"SQLite {sqlite3.sqlite_version} is too old; 3.35 is required.", hint=hint, id="latchkey.E001")]
    return []


@register(Tags.compatibility)
def unknown_variables(**kwargs: Any) -> list[CheckMessage]:
    """Report environment variables that look like ours and have no effect (W001), with the name that was meant."""
    runtime = {f"LATCHKEY_{setting.name.upper()}" for setting in fields(Policy)}
    return [
        checks.Warning(
            f"The environment variable {name} is unknown and has no effect.",
            hint="It is a runtime setting; change it in the admin area."
            if name in runtime
            else f"Did you mean {near}?"
            if near
            else "docs/settings.md lists all variables.",
            id="latchkey.W001",
        )
        for name, near in settings.UNKNOWN_VARIABLES.items()
    ]


@register(Tags.database)
def long_retry_window(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Report a RETRY_WINDOW of more than half an access token's lifetime (W003), with the settings in the database.

    Two clones of a client that refresh by turns, each when its access token expires, would then never be noticed.
    """
    policy = current_policy() if databases else Policy()
    if 2 * policy.retry_window <= policy.access_token_lifetime:
        return []
    hint = "Shorten it, or reuse may go unnoticed; clients that send an Idempotency-Key need no window."
    message = "RETRY_WINDOW is more than half of ACCESS_TOKEN_LIFETIME."
    return [checks.Warning(message, hint=hint, id="latchkey.W003")]


@register(Tags.security, deploy=True)
def missing_mail_server(**kwargs: Any) -> list[CheckMessage]:
    """Report production without a mail server (W002): nobody can reset a password, which is answered 503."""
    if not settings.PRODUCTION or settings.MAIL_SERVER:
        return []
    hint = "Password reset and verification answer 503. Set it to a mail server (docs/mail.md)."
    return [checks.Warning("EMAIL_URL is not set, so no mail is sent.", hint=hint, id="latchkey.W002")]


@register(Tags.security, deploy=True)
def production_is_safe(**kwargs: Any) -> list[CheckMessage]:
    """Report unsafe configuration of a production server; nothing in development."""
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
    """Raise ImproperlyConfigured, with a line for each problem; the first thing that `latchkey serve` does."""
    if errors := production_is_safe():
        raise ImproperlyConfigured(format_issues(errors))


def format_issues(issues: Iterable[CheckMessage]) -> str:
    """Return one line for each issue; what prints them puts the name of the program before the first."""
    return "\nlatchkey: ".join(f"{issue.msg} {issue.hint or ''} ({issue.id})" for issue in issues)


def weak_secrets() -> Iterator[CheckMessage]:
    """Report weak secret keys (E002, E003).

    All keys are derived from them: an attacker who guesses one can sign in as anybody (RFC 8725 section 3.5).
    """
    if weakness := weakness_of(settings.SECRET_KEY):
        yield Error(f"LATCHKEY_SECRET_KEY {weakness}.", hint=NEW_KEY_HINT, id="latchkey.E002")
    for number, fallback in enumerate(settings.SECRET_KEY_FALLBACKS, start=1):
        if weakness := weakness_of(fallback):
            hint = "Remove it: tokens of anybody who guesses it would be accepted."
            yield Error(f"Key {number} of LATCHKEY_SECRET_KEY_FALLBACKS {weakness}.", hint=hint, id="latchkey.E003")


def weakness_of(secret: str) -> str:
    """Return what is wrong with a secret key, as the end of a sentence; '' if nothing is."""
    if secret.startswith("django-insecure-"):
        return "begins with 'django-insecure-', so it was generated for development"
    if len(secret) < SECRET_LENGTH:
        return f"has {len(secret)} characters; {SECRET_LENGTH} or more are required"
    if len(set(secret)) < SECRET_VARIETY:
        return f"has fewer than {SECRET_VARIETY} different characters, so it is not random"
    return ""


def allowed_hosts() -> Iterator[CheckMessage]:
    """Report allowed hosts that are empty or any host (E004): a forged Host header must not get into links."""
    hint = "List the hosts that clients use, such as 'auth.example.com', or '.example.com' for all its subdomains."
    if not settings.ALLOWED_HOSTS:
        yield Error("LATCHKEY_ALLOWED_HOSTS is not set.", hint=hint, id="latchkey.E004")
    elif any("*" in host for host in settings.ALLOWED_HOSTS):
        yield Error("LATCHKEY_ALLOWED_HOSTS contains '*'.", hint=hint, id="latchkey.E004")


def insecure_public_url() -> Iterator[CheckMessage]:
    """Report a public URL without TLS (E005): it is the issuer of tokens, an https URL (RFC 8414 section 2)."""
    hint = "Set it to the URL that clients use, such as 'https://auth.example.com'."
    url = settings.PUBLIC_URL
    if not url:
        yield Error("LATCHKEY_PUBLIC_URL is not set.", hint=hint, id="latchkey.E005")
    elif not url.startswith("https://"):
        yield Error(f"LATCHKEY_PUBLIC_URL is {url!r}, which is not https.", hint=hint, id="latchkey.E005")


def insecure_origins() -> Iterator[CheckMessage]:
    """Report CORS origins without TLS (E006): whoever is on the network in between could change such a page.

    The user's own machine and the schemes of apps are excepted: no page from a network has such an origin.
    """
    hint = "List each origin, such as 'https://app.example.com'."
    for origin in settings.CORS_ALLOWED_ORIGINS:
        if origin.startswith("http://") and not is_loopback(origin):
            message = f"LATCHKEY_CORS_ORIGINS contains {origin!r}, which is not an https origin."
            yield Error(message, hint=hint, id="latchkey.E006")


def console_email_backend() -> Iterator[CheckMessage]:
    """Report that mails are printed (E013): anybody who reads the log could use their links to set passwords."""
    if settings.MAIL_SERVER and settings.MAIL_SERVER["backend"] == CONSOLE_BACKEND:
        hint = "Set it to a mail server, or leave it unset."
        yield Error("EMAIL_URL is 'console://', which prints mails to the log.", hint=hint, id="latchkey.E013")


def sqlite_on_network(database: dict[str, Any], mounts: str) -> Iterator[CheckMessage]:
    """Report SQLite on a network file system (E007), whose locks are not reliable: several nodes need PostgreSQL."""
    if not database["ENGINE"].endswith("sqlite3"):
        return
    if kind := network_file_system(Path(database["NAME"]).resolve(), mounts):
        hint = "Use a local disk for one node, or set DATABASE_URL to a PostgreSQL database for several."
        yield Error(f"The SQLite database is on a network file system ({kind}).", hint=hint, id="latchkey.E007")
