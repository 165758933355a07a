"""Add many users in one statement; whoever is there already is left alone."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from latchkey.accounts.models import User
from latchkey.import_export.record import Account

COLUMNS = ("email", "username", "password", "is_active", "is_staff", "is_superuser", "created_at", "email_verified_at")
INSERT = """
INSERT INTO latchkey_user ({columns}, credential_version) VALUES {rows}
ON CONFLICT DO NOTHING RETURNING email, id
"""
ADVANCE_SEQUENCE = """
SELECT setval(ids, %(highest)s)
  FROM (SELECT pg_get_serial_sequence('latchkey_user', 'id')::regclass AS ids) AS own
 WHERE coalesce(pg_sequence_last_value(ids), 0) < %(highest)s
"""


def bulk_insert(accounts: Sequence[Account], keep_ids: bool) -> tuple[int, dict[int, str]]:
    """Return how many were added, and by their index what is wrong with those who cannot be.

    RETURNING tells who was added, so that nobody is counted twice who registers at the same time.
    """
    if not accounts:
        return 0, {}
    if keep_ids:
        _advance_sequence(max(account.id or 0 for account in accounts))
    columns = (*(("id",) if keep_ids else ()), *COLUMNS)
    rows = ", ".join([f"({', '.join(['%s'] * len(columns))}, 0)"] * len(accounts))
    values = [value for account in accounts for value in _values(account, keep_ids)]
    with connection.cursor() as cursor:
        cursor.execute(INSERT.format(columns=", ".join(columns), rows=rows), values)
        added = dict(cursor.fetchall())
    return len(added), _conflicts(accounts, added) if keep_ids else {}


def _values(account: Account, keep_ids: bool) -> list[Any]:
    moment = connection.ops.adapt_datetimefield_value
    return [
        *([account.id] if keep_ids else []),
        *(account.email, account.username, account.password_hash),
        *(account.is_active, account.is_staff, account.is_superuser),
        *(moment(account.created_at), moment(account.email_verified_at)),
    ]


def _advance_sequence(highest: int) -> None:
    """Have PostgreSQL count on from above these ids, before they are there: who registers now must not get one.

    The lock keeps others from drawing an id between the look and the leap, which would be drawn twice. SQLite does
    it by itself.
    """
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE latchkey_user IN SHARE ROW EXCLUSIVE MODE")
            cursor.execute(ADVANCE_SEQUENCE, {"highest": highest})


def can_set_sequence() -> bool:
    """Tell whether this role of the database may move the sequence of ids."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_sequence_privilege(pg_get_serial_sequence('latchkey_user', 'id'), 'UPDATE')")
        return bool(cursor.fetchone()[0])


def _conflicts(accounts: Sequence[Account], added: dict[str, int]) -> dict[int, str]:
    """Return those who are not in with their own id, and why."""
    missed = {index: one for index, one in enumerate(accounts) if added.get(one.email) != one.id}
    emails = [account.email for account in missed.values()]
    there = dict(User.objects.filter(email__in=emails).values_list("email", "id"))
    complaints = {}
    for index, account in missed.items():
        if account.email not in there:
            complaints[index] = "id: It belongs to somebody else."
        elif there[account.email] != account.id:
            complaints[index] = "email: It is there already, with another id."
    return complaints
