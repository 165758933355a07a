"""The outcome of a fault: sessions signed out, sessions forked, and acknowledged rotations that are lost."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
from django.test import override_settings

from latchkey.tokens.refresh_token import digest, refresh_token_keys, selector
from tests.server import Server
from tests.support.refreshing_clients import Client, Load

_SELECT_SESSIONS = "SELECT selector, digest, next_digest FROM latchkey_session"


def session_digests(server: Server, sqlite_copy: Path | None = None) -> dict[int, set[bytes]]:
    """Return the digests of the accepted tokens of each session by selector, read directly from the database.

    sqlite_copy is another file to read, with a copy of an SQLite database.
    """
    if url := server.environment.get("DATABASE_URL"):
        with psycopg.connect(url) as connection:
            rows = connection.execute(_SELECT_SESSIONS).fetchall()
    else:
        file = sqlite_copy or Path(server.environment["LATCHKEY_DATA_DIR"]) / "latchkey.sqlite3"
        connection_ = sqlite3.connect(file)
        rows = connection_.execute(_SELECT_SESSIONS).fetchall()
        connection_.close()
    return {row[0]: {bytes(row[1]), bytes(row[2])} for row in rows}


def live_tokens(client: Client, server: Server) -> list[str]:
    """Return those of all tokens that a client ever received that the server would still accept."""
    secret_file = Path(server.environment["LATCHKEY_DATA_DIR"]) / "secret"
    secret = server.environment.get("LATCHKEY_SECRET_KEY") or secret_file.read_text().strip()
    with override_settings(SECRET_KEY=secret):
        key = refresh_token_keys()[0]
    accepted = session_digests(server).get(selector(UUID(client.token)), set())
    return [token for token in client.received_tokens if digest(key, UUID(token)) in accepted]


@dataclass(frozen=True)
class FaultOutcome:
    """What became of the clients of a load; `failures` lists unexpected responses, forks and rows."""

    load: Load
    lost: list[Client]
    forks: list[Client]
    failures: list[str]

    def __str__(self) -> str:
        return f"{self.load}, lost sessions {len(self.lost)}, forks {len(self.forks)}"


def evaluate(load: Load, server: Server) -> FaultOutcome:
    """Let every client refresh once more, then compare its received tokens with the session table."""
    stuck = [client for client in load.clients if not client.finish() and not client.lost]
    lost = [client for client in load.clients if client.lost]
    failures = [failure for client in load.clients for failure in client.failures]
    failures += [f"{client.name} cannot refresh any more: {client.statuses}" for client in stuck]
    expected = {client.name: [] if client.lost else [client.token] for client in load.clients}
    forks = [client for client in load.clients if live_tokens(client, server) != expected[client.name]]
    failures += [f"the live tokens of {client.name} are not its newest alone" for client in forks]
    if len(session_digests(server)) != len(load.clients) - len(lost):
        failures.append(f"{len(session_digests(server))} sessions for {len(load.clients) - len(lost)} clients")
    return FaultOutcome(load, lost, forks, failures)
