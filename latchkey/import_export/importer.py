"""Take users in: in batches, beside a running service, and as often as one likes."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection

from latchkey.accounts.models import User
from latchkey.import_export.bulk_insert import bulk_insert
from latchkey.import_export.record import Account, parse_account
from latchkey.import_export.source_lines import SourceRecord

BATCH_SIZE = 100
"""Users added in one statement: SQLite has one writer, and a refresh must not wait 100 ms for its turn. More at once
are hardly faster."""

MAX_BATCH_SECONDS = 1.0
"""Seconds until a smaller batch is written: to hash one password takes as long as to add hundreds of users."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What an operator lets in besides people: their ids from before, and privileges."""

    keep_ids: bool = False
    with_staff: bool = False


@dataclass(slots=True)
class ImportBatch:
    """One batch: where it ends, how many users were added or there already, and what was wrong where."""

    last: int = 0
    added: int = 0
    present: int = 0
    hashed: int = 0
    bad: list[tuple[SourceRecord, str]] = field(default_factory=list)

    @property
    def processed(self) -> int:
        return self.added + self.present + len(self.bad)


def import_users(records: Iterable[SourceRecord], options: ImportOptions) -> Iterator[ImportBatch]:
    """Add those who are not there yet; who is there stays as they are, so that it can be done again after a stop.

    A batch is in for good when its step is returned; who registers meanwhile is there already. Raises DatabaseError,
    and then the batch is not in.
    """
    step, waiting, began = ImportBatch(), list[tuple[SourceRecord, Account]](), time.monotonic()
    for found in records:
        step.last = found.last
        try:
            account = _validate(found, options)
            if account and account.password:
                account = _hash_password(account)
                step.hashed += 1
            waiting += [(found, account)] if account else []
            step.present += account is None
        except ValueError as error:
            step.bad.append((found, str(error)))
        if len(waiting) + step.processed >= BATCH_SIZE or time.monotonic() - began > MAX_BATCH_SECONDS:
            writes = time.monotonic()
            yield _write_batch(step, waiting, options)
            if connection.vendor == "sqlite":  # who waits there asks again and again: leave as much time as was taken
                time.sleep(time.monotonic() - writes)
            step, waiting, began = ImportBatch(), [], time.monotonic()
    yield _write_batch(step, waiting, options)


def _validate(found: SourceRecord, options: ImportOptions) -> Account | None:
    """Return the account, None where it is there and would be hashed in vain; raises ValueError."""
    if found.error:
        raise ValueError(found.error)
    account = parse_account(found.values)
    if options.keep_ids and account.id is None:
        raise ValueError("id: There is none, and ids are to be kept.")
    if not options.with_staff:
        account = replace(account, is_staff=False, is_superuser=False)
    if account.password:
        return None if User.objects.filter(email=account.email).exists() else account
    return account if account.password_hash else replace(account, password_hash=make_password(None))


def _hash_password(account: Account) -> Account:
    """Hash a password in the clear, which has to be one that could be chosen here; raises ValueError."""
    user = User(email=account.email, username=account.username)
    try:
        validate_password(account.password, user)
    except ValidationError as error:
        raise ValueError(f"password: {error.messages[0]}") from error
    user.set_password(account.password)
    return replace(account, password_hash=user.password, password="")


def _write_batch(step: ImportBatch, waiting: list[tuple[SourceRecord, Account]], options: ImportOptions) -> ImportBatch:
    added, complaints = bulk_insert([account for _, account in waiting], options.keep_ids)
    step.added = added
    step.bad += [(waiting[index][0], complaint) for index, complaint in complaints.items()]
    step.present += len(waiting) - added - len(complaints)
    return step
