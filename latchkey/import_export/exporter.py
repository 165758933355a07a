"""Export of all users, in the formats that `latchkey users import` reads: chunk by chunk, into a file or stdout."""

import csv
import json
import os
from base64 import b32encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkstemp
from typing import Any, TextIO

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Case, When

from latchkey.accounts.models import User
from latchkey.authorization.token_claims import roles_of
from latchkey.factors.models import TOTP_ENCRYPTION
from latchkey.import_export.csv_format import escape_formula
from latchkey.import_export.record import TOTP_SECRET

CHUNK = 2_000
"""Users read in one statement, and so held in memory at once."""

COLUMNS = {"password_hash": "password", "roles": "token_claims"}
"""The columns of fields that have another name."""

CONFIRMED_SECRET = Case(When(totp__confirmed_at__isnull=False, then="totp__secret"))
"""The encrypted secret of a user's authenticator app, NULL without one that is in use."""


def export_users(fields: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield chunks of users in the order of their ids, with these fields, of which the id is the first.

    Each chunk is a statement of its own, so that no transaction is open for minutes. A user who registers meanwhile may
    be in the export or not.
    """
    columns, last = [COLUMNS.get(name, name) for name in fields], -1
    users = User.objects.order_by("pk")
    if TOTP_SECRET in fields:
        users = users.annotate(**{TOTP_SECRET: CONFIRMED_SECRET})
    while chunk := list(users.filter(pk__gt=last).values_list(*columns)[:CHUNK]):
        last = chunk[-1][0]
        at = fields.index(TOTP_SECRET) if TOTP_SECRET in fields else None
        yield [_readable(user if at is None else _with_base32(user, at), fields) for user in chunk]


def _readable(user: tuple[Any, ...], fields: Sequence[str]) -> tuple[Any, ...]:
    """Return the fields with the names of the roles, out of the JSON that access tokens carry."""
    return tuple(roles_of(value) if name == "roles" else value for name, value in zip(fields, user, strict=True))


def _with_base32(user: tuple[Any, ...], at: int) -> tuple[Any, ...]:
    """Return the fields with the encrypted secret as base32, '' for a user without an authenticator app.

    Raises ImproperlyConfigured where no secret key decrypts it: an export without it would let the password sign in
    alone.
    """
    if user[at] is None:
        return (*user[:at], "", *user[at + 1 :])
    secret = TOTP_ENCRYPTION.decrypt(bytes(user[at]))
    if secret is None:
        raise ImproperlyConfigured(f"The authenticator secret of user {user[0]} cannot be decrypted.")
    return (*user[:at], b32encode(secret).decode().rstrip("="), *user[at + 1 :])


def write_users(
    file: TextIO, form: str, fields: Sequence[str], chunks: Iterable[list[tuple[Any, ...]]]
) -> Iterator[int]:
    """Write chunk by chunk, and yield the number of users of each; raises OSError."""
    rows = csv.writer(file)
    if form == "csv":
        rows.writerow(fields)
    for chunk in chunks:
        if form == "csv":
            rows.writerows([_csv_value(value) for value in user] for user in chunk)
        else:
            file.writelines(json.dumps(dict(zip(fields, map(_json_value, user), strict=True))) + "\n" for user in chunk)
        yield len(chunk)


def _csv_value(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return escape_formula(value) if isinstance(value, str) else _json_value(value)


def _json_value(value: Any) -> Any:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


@contextmanager
def atomic_write(path: Path, *, overwrite: bool) -> Iterator[TextIO]:
    """Write a temporary file of mode 0600, and rename it at the end; after an error nothing is left.

    The file has password hashes in it, so nobody else may read it, and half an export must not look like a whole one.
    Raises FileExistsError if there is something at the path already, unless it is a file to be overwritten; or OSError.
    """
    if path.exists() and not (overwrite and path.is_file()):
        raise FileExistsError(17, "it exists already")
    descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def standard_output() -> Iterator[TextIO]:
    """Reserve standard output for the users: everything else that writes to it, such as the log, goes to stderr."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8", newline="") as target:
        os.dup2(2, 1)
        try:
            yield target
        finally:
            os.dup2(target.fileno(), 1)
