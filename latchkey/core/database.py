"""DATABASE_URL, read into Django's settings."""

from typing import Any
from urllib.parse import unquote

import psycopg
from django.core.exceptions import ImproperlyConfigured

_SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
_LIBPQ_NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def connection_settings(url: str) -> dict[str, Any]:
    """Return the entry of DATABASES for 'sqlite:///path' or any URL that libpq takes, several hosts included.

    Raises ImproperlyConfigured; the URL itself is not repeated, as it may hold a password.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and len(rest) > 1 and rest.startswith("/"):
        return _sqlite(unquote(rest[1:]))
    if scheme in ("postgres", "postgresql"):
        return _postgresql(url)
    raise ImproperlyConfigured(
        "DATABASE_URL cannot be read; write 'sqlite:///path/to/file' or 'postgresql://user:password@host:5432/name'."
    )


def _sqlite(path: str) -> dict[str, Any]:
    """Return settings under which a commit is durable, readers never wait and writers queue instead of failing."""
    options = {"transaction_mode": "IMMEDIATE", "timeout": 5, "init_command": _SQLITE_PRAGMAS}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": options, "CONN_MAX_AGE": None}


def _postgresql(url: str) -> dict[str, Any]:
    try:
        given = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ImproperlyConfigured("DATABASE_URL cannot be read as a PostgreSQL URL; see docs/settings.md.") from error
    named = {_LIBPQ_NAMES[key]: str(given.pop(key)) for key in _LIBPQ_NAMES if key in given}
    if "NAME" not in named:
        raise ImproperlyConfigured("DATABASE_URL names no database; end it with '/name'.")
    options = {"connect_timeout": 5, **given}
    return {"ENGINE": "django.db.backends.postgresql", "OPTIONS": options, "CONN_MAX_AGE": None, **named}
