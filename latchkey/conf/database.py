"""Database configuration: DATABASE_URL parsed into Django's DATABASES, time limits, and the file system of SQLite.

Defaults are chosen for a service that must answer in time: durable commits, TCP keep-alives of seconds, and limits for
statements and locks in processes that serve requests.
"""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg
from django.core.exceptions import ImproperlyConfigured

_SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
_PREPARED = re.compile(r"(?<=[?&])prepared_statements=([^&]*)&?")
"""The only option of the URL that is not libpq's: 'off' for PgBouncer before 1.21 in transaction mode."""

_LIBPQ_NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def parse_database_url(url: str) -> dict[str, Any]:
    """Return the entry of DATABASES for 'sqlite:///path', or for any URL that libpq accepts, with several hosts too.

    Raises ImproperlyConfigured. The URL itself is not repeated in the message, because it may contain a password.
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
    """Return SQLite settings: durable commits, readers that never wait (WAL), writers that wait for up to 5 s."""
    options = {"transaction_mode": "IMMEDIATE", "timeout": 5, "init_command": _SQLITE_PRAGMAS}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": options, "CONN_MAX_AGE": None}


def _postgresql(url: str) -> dict[str, Any]:
    option = _PREPARED.search(url)
    if option:
        url = _PREPARED.sub("", url).rstrip("?&")
        if option[1] not in ("on", "off"):
            raise ImproperlyConfigured("DATABASE_URL has an invalid prepared_statements: it must be 'on' or 'off'.")
    try:
        parameters = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ImproperlyConfigured("DATABASE_URL cannot be read as a PostgreSQL URL; see docs/settings.md.") from error
    names = {_LIBPQ_NAMES[key]: str(parameters.pop(key)) for key in _LIBPQ_NAMES if key in parameters}
    if "NAME" not in names:
        raise ImproperlyConfigured("DATABASE_URL names no database; end it with '/name'.")
    settings = {
        "connect_timeout": 2,  # seconds for each host: a request may have to try twice and still answer in time
        "tcp_user_timeout": 5000,  # milliseconds until unacknowledged data ends the connection, instead of 15 minutes
        "keepalives_idle": 5,  # seconds until a silent host gets a TCP keep-alive, instead of 2 h
        "keepalives_interval": 2,
        "server_side_binding": True,  # the server binds the parameters, and keeps the plans of repeated statements
        "prepare_threshold": None if option and option[1] == "off" else 5,
        **parameters,
    }
    fixed = {"CONN_MAX_AGE": None, "DISABLE_SERVER_SIDE_CURSORS": True}  # PgBouncer keeps such a cursor on one of many
    return {"ENGINE": "latchkey.db.postgresql", "OPTIONS": settings, **fixed, **names}


ANSWER_TIMEOUT = 7.0
"""Seconds for the answer to any statement, commit or rollback: PostgreSQL's own limit of 5 s, and a margin. Later the
connection is closed, because PostgreSQL or the way to it hangs (docs/decisions/0028-deadlines-of-our-own.md)."""


def apply_timeouts(database: dict[str, Any]) -> None:
    """Set the timeouts of a process that serves: locks 3 s, statements 5 s, answers 7 s, idle transactions 10 s.

    A client gains more from a 503 in time than from an answer that it no longer waits for, and a waiting thread serves
    nobody. An idle transaction is ended because its process may be frozen while it holds locks. Commands such as
    `migrate` do not call this, so their statements can take as long as they need.
    """
    limit_answers(database)
    options = database["OPTIONS"]
    if database["ENGINE"].endswith("postgresql"):
        limits = "-c statement_timeout=5s -c lock_timeout=3s -c idle_in_transaction_session_timeout=10s"
        options["options"] = f"{limits} {options.get('options', '')}".strip()  # later ones win: the operator's
    else:
        options["timeout"] = 3


def limit_answers(database: dict[str, Any]) -> None:
    """Limit the time that this process waits for a database or a name server that says nothing, for its start, too.

    A name server that is silent holds a thread for 10 s by the defaults of the C library (resolv.conf(5)).
    """
    os.environ.setdefault("RES_OPTIONS", "timeout:1 attempts:2")
    database["ANSWER_TIMEOUT"] = ANSWER_TIMEOUT


NETWORK_FILE_SYSTEMS = re.compile(
    r"(fuse\.)?(nfs\d?|cifs|smb\d?|smbfs|9p|afs|ceph|ceph-fuse|glusterfs|lustre|beegfs|sshfs)"
)
"""Types of network file systems, on which SQLite's locks and WAL are not reliable."""


def read_mounts() -> str:
    """Return Linux's table of mounts (proc(5)); empty on other systems."""
    table = Path("/proc/self/mounts")
    return table.read_text(errors="replace") if table.exists() else ""


def network_file_system(path: Path, mounts: str) -> str:
    """Return the type of the network file system that a path is on, by this table of mounts; '' if it is on a disk."""
    longest, fs_type = -1, ""
    for line in mounts.splitlines():
        point, kind = (re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), word) for word in line.split()[1:3])
        if path.is_relative_to(point) and len(point) >= longest:  # of two mounts at one point the later hides the other
            longest, fs_type = len(point), kind
    return fs_type if NETWORK_FILE_SYSTEMS.fullmatch(fs_type) else ""
