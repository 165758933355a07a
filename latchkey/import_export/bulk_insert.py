"""Bulk insert of imported users: many rows in one statement, which leaves existing users alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from latchkey.accounts.models import User
from latchkey.authorization.models import UserRole
from latchkey.authorization.roles import hold_roles
from latchkey.factors.totp import add_confirmed
from latchkey.import_export.record import Account
from latchkey.rate_limits.attempts import forget_attempts

COLUMNS = (
    *("email", "username", "password", "is_active", "is_staff", "is_superuser", "created_at", "email_verified_at"),
    *("second_factors", "claims", "token_claims"),
)
INSERT = """
INSERT INTO latchkey_user ({columns}, credential_version) VALUES {rows}
ON CONFLICT DO NOTHING RETURNING email, id
"""
ADVANCE_SEQUENCE = """
SELECT setval(ids, %(highest)s)
  FROM (SELECT pg_get_serial_sequence('latchkey_user', 'id')::regclass AS ids) AS own
 WHERE coalesce(pg_sequence_last_value(ids), 0) < %(highest)s
"""


def bulk_insert(
    accounts: Sequence[Account], keep_ids: bool, role_ids: Mapping[str, int] | None = None
) -> tuple[int, dict[int, str]]:
    """Insert the accounts; return how many were added, and an error by index for each that conflicts.

    RETURNING says which were added, so that nobody is counted twice who registers at the same time. `role_ids` has the
    roles of the accounts by name; raises ValueError if one was deleted meanwhile.
    """
    if not accounts:
        return 0, {}
    if keep_ids:
        _advance_sequence(max(0 if account.id is None else account.id for account in accounts))
    columns = (*(("id",) if keep_ids else ()), *COLUMNS)
    rows = ", ".join([f"({', '.join(['%s'] * len(columns))}, 0)"] * len(accounts))
    values = [value for account in accounts for value in _values(account, keep_ids)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT.format(columns=", ".join(columns), rows=rows), values)
        added = dict(cursor.fetchall())
        _add_roles(accounts, added, role_ids or {})
        forget_attempts(added)
        add_confirmed(
            {added[each.email]: each.totp_secret for each in accounts if each.totp_secret and each.email in added}
        )
    return len(added), _conflicts(accounts, added) if keep_ids else {}


def _add_roles(accounts: Sequence[Account], added: Mapping[str, int], role_ids: Mapping[str, int]) -> None:
    """Store the roles of the accounts that were added; raises ValueError for a role that was deleted meanwhile."""
    of_added = [account for account in accounts if account.roles and account.email in added]
    if of_added:
        hold_roles({role_ids[name] for account in of_added for name in account.roles})
        UserRole.objects.bulk_create(
            UserRole(user_id=added[account.email], role_id=role_ids[name])
            for account in of_added
            for name in account.roles
        )


def _values(account: Account, keep_ids: bool) -> list[Any]:
    to_sql = connection.ops.adapt_datetimefield_value
    return [
        *([account.id] if keep_ids else []),
        *(account.email, account.username, account.password_hash),
        *(account.is_active, account.is_staff, account.is_superuser),
        *(to_sql(account.created_at), to_sql(account.email_verified_at)),
        int(bool(account.totp_secret)),
        None if account.claims is None else connection.ops.adapt_json_value(account.claims, None),
        account.token_claims,
    ]


def _advance_sequence(highest: int) -> None:
    """Move PostgreSQL's sequence of user ids past the imported ids, before they are inserted.

    Otherwise a user who registers meanwhile could get one of them. The lock keeps others from drawing an id between the
    look at the sequence and its change, as that id would be drawn twice. SQLite needs none of this.
    """
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE latchkey_user IN SHARE ROW EXCLUSIVE MODE")
            cursor.execute(ADVANCE_SEQUENCE, {"highest": highest})


def can_set_sequence() -> bool:
    """Return whether the database role may change the sequence of user ids."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_sequence_privilege(pg_get_serial_sequence('latchkey_user', 'id'), 'UPDATE')")
        return bool(cursor.fetchone()[0])


def _conflicts(accounts: Sequence[Account], added: dict[str, int]) -> dict[int, str]:
    """Return an error by index for each account that is not stored with its own id."""
    missing = {index: account for index, account in enumerate(accounts) if added.get(account.email) != account.id}
    emails = [account.email for account in missing.values()]
    existing = dict(User.objects.filter(email__in=emails).values_list("email", "id"))
    errors = {}
    for index, account in missing.items():
        if account.email not in existing:
            errors[index] = "id: Another user has it."
        elif existing[account.email] != account.id:
            errors[index] = "email: A user with this address and another id exists already."
    return errors
