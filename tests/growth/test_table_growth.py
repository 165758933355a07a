"""Growth of the session table: refreshes add no rows and no space."""

import random
from uuid import UUID

import pytest
from django.db import connection

from latchkey.core.client import ClientInfo
from latchkey.sessions.models import Session
from latchkey.sessions.refresh import refresh
from tests.growth.session_rows import insert_sessions

pytestmark = [pytest.mark.growth, pytest.mark.django_db(transaction=True)]
SESSIONS, REFRESHES = 5_000, 100_000


def refresh_at_random(tokens: list[UUID], times: int) -> None:
    """Refresh sessions in random order; each returned token is the next one of its session."""
    client = ClientInfo("203.0.113.7", "growth")
    for _ in range(times):
        number = random.randrange(len(tokens))
        tokens[number] = refresh(tokens[number], client).refresh_token


def fetch_row(sql: str) -> tuple[int, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row: tuple[int, ...] = cursor.fetchone()
        return row


def test_100_000_refreshes_add_no_row_and_no_space_to_the_session_table() -> None:
    tokens = insert_sessions(SESSIONS)
    vacuum = "VACUUM latchkey_session" if connection.vendor == "postgresql" else "PRAGMA wal_checkpoint(TRUNCATE)"
    size = {
        "postgresql": "SELECT pg_table_size('latchkey_session') + pg_indexes_size('latchkey_session')",
        "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(vacuum)
    (before,) = fetch_row(size)
    refresh_at_random(tokens, REFRESHES)
    with connection.cursor() as cursor:
        cursor.execute(vacuum)
    (after,) = fetch_row(size)
    print(f"\n{REFRESHES} refreshes of {SESSIONS} sessions: {before} bytes before, {after} after")
    assert Session.objects.count() == SESSIONS
    assert after <= 1.2 * before


@pytest.mark.postgresql
def test_rotations_are_heap_only_updates_in_postgresql() -> None:
    tokens = insert_sessions(SESSIONS)
    fetch_row("SELECT pg_stat_reset_single_table_counters('latchkey_session'::regclass)")
    (start,) = fetch_row("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
    refresh_at_random(tokens, 20_000)
    (end,) = fetch_row("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
    fetch_row("SELECT pg_stat_force_next_flush()")
    updated, heap_only = fetch_row(
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'latchkey_session'"
    )
    print(f"\n{updated} updates, {heap_only} heap-only, {(end - start) / 20_000:.0f} bytes of WAL each")
    assert updated == 20_000
    assert heap_only >= 0.99 * updated
