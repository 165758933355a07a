"""Sizes that bench.capacity reckons with: rows, indexes and WAL in PostgreSQL, and bytes of a refresh on the network.

    .venv/bin/python -m bench.sizes [--users 1000000] [--rotations 2000] [--refreshes 2000]

Creates a PostgreSQL database with users of one session each: e-mail addresses of 26 characters, an Argon2id hash, and a
browser's user agent. Prints the bytes of a row before and after half of the sessions were rotated once by one
statement, which is the worst case between two vacuums. Prints the WAL of a rotation that is the first one on its page
since a checkpoint, which writes the whole page (full_page_writes), and of one that is not. Then serves an empty
database, and prints the bytes of a refresh with an Idempotency-Key over HTTP and of its statement, without TLS, TCP and
IP. Takes two minutes.
"""

import argparse
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from uuid import uuid4

from bench.adapter import Person, Request
from bench.growth import setup_django, vacuum
from bench.http_client import HttpConnection, encode_request, parse_response
from bench.round_trips import CountingProxy
from bench.system_under_test import PASSWORD
from bench.systems.latchkey import SYSTEM
from tests.postgres import Postgres
from tests.server import Server

TABLES = ("latchkey_session", "latchkey_user")
INSERT_USERS = """
INSERT INTO latchkey_user (email, password, username, is_superuser, is_active, is_staff, created_at, credential_version)
SELECT 'user' || lpad(n::text, 10, '0') || '@example.com', %(password)s, '', false, true, false, now(), 0
  FROM generate_series(1, %(users)s) AS n
"""
INSERT_SESSIONS = """
INSERT INTO latchkey_session (id, selector, digest, next_digest, user_id, credential_version, created_at, rotated_at,
                              expires_at, ip, user_agent, authenticated_at)
SELECT (random() * 9e18)::bigint, (random() * 1.15e18)::bigint, sha256(id::text::bytea), sha256(id::text::bytea), id, 0,
       now(), now(), now() + interval '30 days', '203.0.113.7', %(agent)s, now()
  FROM latchkey_user ORDER BY random() ON CONFLICT DO NOTHING
"""
ROTATE_HALF = """
UPDATE latchkey_session SET digest = sha256(digest), next_digest = sha256(next_digest), retry_digest = sha256(digest),
                            rotated_at = now(), expires_at = now() + interval '30 days'
 WHERE user_id % 2 = 0
"""


ROTATE_ONE = ROTATE_HALF.replace("user_id % 2 = 0", "selector = %s")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.sizes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument(
        "--rotations", type=int, default=2_000, help="of the WAL, each of another session (default: %(default)s)"
    )
    parser.add_argument("--refreshes", type=int, default=2_000, help="default: %(default)s")
    options = parser.parse_args()
    measure_rows(options.users, options.rotations)
    measure_network(options.refreshes)


def measure_rows(users: int, rotations: int) -> None:
    """Print the bytes of a user and of a session, new and after the rotation of half of them."""
    setup_django("postgresql")
    from django.contrib.auth.hashers import make_password
    from django.db import connection

    from tests.growth.session_rows import USER_AGENT

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(INSERT_USERS, {"users": users, "password": make_password(PASSWORD)})
        cursor.execute(INSERT_SESSIONS, {"agent": USER_AGENT})
        cursor.execute("VACUUM ANALYZE latchkey_user")
    vacuum()
    print_sizes("new")
    for compression in ("off", "pglz"):
        measure_wal(compression, rotations)
    with connection.cursor() as cursor:
        cursor.execute(ROTATE_HALF)
    print_sizes("after half of the sessions were rotated")


def print_sizes(when: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*), pg_table_size('{table}'), pg_indexes_size('{table}') FROM {table}")
            rows, table_bytes, index_bytes = cursor.fetchone()
            row, index = table_bytes / rows, index_bytes / rows
            print(f"{table}, {when}: {rows:,} rows, {row:.0f} + {index:.0f} = {row + index:.0f} bytes each")


def measure_wal(compression: str, rotations: int) -> None:
    """Print the WAL bytes of a rotation, the first one on its page since a checkpoint, and the next one there."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SET wal_compression = '{compression}'")
        cursor.execute("SELECT selector FROM latchkey_session ORDER BY random() LIMIT %s", [rotations])
        selectors = cursor.fetchall()
        cursor.execute("CHECKPOINT")
        for which in ("first", "next"):
            before = wal_position()
            for selector in selectors:
                cursor.execute(ROTATE_ONE, selector)
            written = (wal_position() - before) / rotations
            print(f"WAL of a rotation, wal_compression {compression}, the {which} on its page: {written:.0f} bytes")


def wal_position() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        (position,) = cursor.fetchone()
    return int(position)


def measure_network(refreshes: int) -> None:
    """Print the bytes of a refresh between client and node, and between node and PostgreSQL."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="latchkey-sizes-")))
        folder.chmod(0o755)
        postgres = Postgres(folder / "postgresql").create().start()
        stack.callback(postgres.stop, "immediate")
        proxy = stack.enter_context(closing(CountingProxy(postgres.port)))
        url = postgres.url.replace(f":{postgres.port}/", f":{proxy.port}/")
        server = Server(folder / "server", url, workers=1).start()
        stack.callback(server.kill)
        wire = stack.enter_context(closing(HttpConnection(server.port)))
        person = Person("a@example.com", PASSWORD)
        sign_up = SYSTEM.sign_up(person)
        assert sign_up is not None
        wire.request(sign_up)
        answer = wire.request(SYSTEM.login(person))
        SYSTEM.store_tokens(person, answer.json(), answer.headers)
        refresh(wire, person, 200)  # prepares the statement on each connection of the event loop
        before = proxy.bytes
        total = refresh(wire, person, refreshes)
        print(f"a refresh over HTTP: {total / refreshes:.0f} bytes in both directions")
        print(f"its statement: {(proxy.bytes - before) / refreshes:.0f} bytes in both directions")


def refresh(wire: HttpConnection, person: Person, times: int) -> int:
    """Refresh this often; return the bytes sent and received."""
    total = 0
    for _ in range(times):
        ask = SYSTEM.refresh(person)
        sent = encode_request(Request(ask.method, ask.path, ask.body, {"Idempotency-Key": str(uuid4())}))
        wire.socket.sendall(sent)
        received = b""
        while (answer := parse_response(received)) is None:
            received += wire.socket.recv(65536)
        SYSTEM.store_tokens(person, answer.json(), answer.headers)
        total += len(sent) + len(received)
    return total


if __name__ == "__main__":
    main()
