"""DATABASE_URL, read into Django's settings.

Which file system a path is on, as Linux tells it.
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg
from django.core.exceptions import ImproperlyConfigured

_SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
_PREPARED = re.compile(r"(?<=[?&])prepared_statements=([^&]*)&?")
"""The one option of a URL that is not libpq's: 'off' for a PgBouncer before 1.21, which loses prepared statements."""

_LIBPQ_NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def parse_database_url(url: str) -> dict[str, Any]:
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
    ours = _PREPARED.search(url)
    if ours:
        url = _PREPARED.sub("", url).rstrip("?&")
        if ours[1] not in ("on", "off"):
            raise ImproperlyConfigured("DATABASE_URL has prepared_statements, which can be 'on' or 'off'.")
    try:
        given = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ImproperlyConfigured("DATABASE_URL cannot be read as a PostgreSQL URL; see docs/settings.md.") from error
    named = {_LIBPQ_NAMES[key]: str(given.pop(key)) for key in _LIBPQ_NAMES if key in given}
    if "NAME" not in named:
        raise ImproperlyConfigured("DATABASE_URL names no database; end it with '/name'.")
    settings = {
        "connect_timeout": 2,  # for each host; a request may have to try twice and still be in time
        "tcp_user_timeout": 5000,  # milliseconds until a host that fell silent counts as gone, instead of 15 minutes
        "keepalives_idle": 5,  # and seconds until one that owes an answer is asked whether it is there, instead of 2 h
        "keepalives_interval": 2,
        "server_side_binding": True,  # the server puts in the parameters, and keeps the plan of what comes again
        "prepare_threshold": None if ours and ours[1] == "off" else 5,
        **given,
    }
    fixed = {"CONN_MAX_AGE": None, "DISABLE_SERVER_SIDE_CURSORS": True}  # PgBouncer has such a cursor on one connection
    return {"ENGINE": "django.db.backends.postgresql", "OPTIONS": settings, **fixed, **named}


def apply_timeouts(database: dict[str, Any]) -> None:
    """Have the connections of a process that serves give up on a lock after 3 s, and on a statement after 5 s.

    A transaction that says nothing for 10 s is ended, as its process may be frozen and its locks held for ever.
    A client is better served by a 503 in time than by an answer that it has stopped waiting for, and a thread
    that waits serves nobody. Commands such as migrate do not call this: they take their time.
    """
    options = database["OPTIONS"]
    if database["ENGINE"].endswith("postgresql"):
        limits = "-c statement_timeout=5s -c lock_timeout=3s -c idle_in_transaction_session_timeout=10s"
        options["options"] = f"{limits} {options.get('options', '')}".strip()  # the operator's own come last, and win
    else:
        options["timeout"] = 3


NETWORK_FILE_SYSTEMS = re.compile(
    r"(fuse\.)?(nfs\d?|cifs|smb\d?|smbfs|9p|afs|ceph|ceph-fuse|glusterfs|lustre|beegfs|sshfs)"
)
"""Types of file systems that several machines can share, on which SQLite's locks and its WAL cannot be relied upon."""


def read_mounts() -> str:
    """Return the table of mounts, empty where there is none to read (not on Linux)."""
    table = Path("/proc/self/mounts")
    return table.read_text(errors="replace") if table.exists() else ""


def network_file_system(path: Path, mounts: str) -> str:
    """Return the type of the network file system that a path is on, by this table of mounts; empty if it is on none."""
    deepest, found = -1, ""
    for line in mounts.splitlines():
        point, kind = (re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), word) for word in line.split()[1:3])
        if path.is_relative_to(point) and len(point) >= deepest:  # of two on one point, the later one hides the other
            deepest, found = len(point), kind
    return found if NETWORK_FILE_SYSTEMS.fullmatch(found) else ""
