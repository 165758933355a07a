"""Import of users in small batches, beside a running service. It can be repeated: existing users are skipped."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection

from latchkey.accounts.models import User
from latchkey.authorization.models import Role
from latchkey.import_export.bulk_insert import bulk_insert
from latchkey.import_export.record import Account, parse_account
from latchkey.import_export.source_lines import SourceRecord

BATCH_SIZE = 100
"""Users inserted in one statement: SQLite has one writer, and a refresh must not wait 100 ms for its turn. Larger
batches are hardly faster."""

MAX_BATCH_SECONDS = 1.0
"""Seconds after which a smaller batch is written: hashing one password takes as long as inserting hundreds of users."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What to import besides people: their former ids, and privileges (is_staff, is_superuser)."""

    keep_ids: bool = False
    with_staff: bool = False


@dataclass(slots=True)
class ImportBatch:
    """The result of a batch: its last position, how many users were added or present already, and the bad records."""

    last: int = 0
    added: int = 0
    present: int = 0
    hashed: int = 0
    bad: list[tuple[SourceRecord, str]] = field(default_factory=list)

    @property
    def processed(self) -> int:
        """The number of records in the batch, added or not."""
        return self.added + self.present + len(self.bad)


def import_users(records: Iterable[SourceRecord], options: ImportOptions) -> Iterator[ImportBatch]:
    """Add the users who do not exist yet, and yield the result of each batch; existing users are not changed.

    A batch is committed when its result is yielded. Raises DatabaseError, and then this batch is not.
    """
    batch, pending, began = ImportBatch(), list[tuple[SourceRecord, Account]](), time.monotonic()
    for record in records:
        batch.last = record.last
        try:
            account = _validate(record, options)
            if account and account.password:
                account = _hash_password(account)
                batch.hashed += 1
            pending += [(record, account)] if account else []
            batch.present += account is None
        except ValueError as error:
            batch.bad.append((record, str(error)))
        if len(pending) + batch.processed >= BATCH_SIZE or time.monotonic() - began > MAX_BATCH_SECONDS:
            write_began = time.monotonic()
            yield _write_batch(batch, pending, options)
            if connection.vendor == "sqlite":  # other writers poll: leave the lock free for as long as it was held
                time.sleep(time.monotonic() - write_began)
            batch, pending, began = ImportBatch(), [], time.monotonic()
    yield _write_batch(batch, pending, options)


def _validate(record: SourceRecord, options: ImportOptions) -> Account | None:
    """Return the account; None if it exists, and its password would be hashed in vain; raises ValueError."""
    if record.error:
        raise ValueError(record.error)
    account = parse_account(record.values)
    if options.keep_ids and account.id is None:
        raise ValueError("id: It is missing, and --keep-ids needs it.")
    if not options.with_staff:
        account = replace(account, is_staff=False, is_superuser=False)
    if account.password:
        return None if User.objects.filter(email=account.email).exists() else account
    return account if account.password_hash else replace(account, password_hash=make_password(None))


def _hash_password(account: Account) -> Account:
    """Hash a plain-text password, which has to meet the password rules; raises ValueError."""
    user = User(email=account.email, username=account.username)
    try:
        validate_password(account.password, user)
    except ValidationError as error:
        raise ValueError(f"password: {error.messages[0]}") from error
    user.set_password(account.password)
    return replace(account, password_hash=user.password, password="")


def _write_batch(
    batch: ImportBatch, pending: list[tuple[SourceRecord, Account]], options: ImportOptions
) -> ImportBatch:
    wanted = {name for _, account in pending for name in account.roles}
    role_ids = dict(Role.objects.filter(name__in=wanted).values_list("name", "pk")) if wanted else {}
    unknown = [(record, sorted(set(account.roles) - role_ids.keys())) for record, account in pending]
    batch.bad += [(record, f"roles: There is no role {names[0]!r}.") for record, names in unknown if names]
    pending = [each for each, (_, names) in zip(pending, unknown, strict=True) if not names]
    try:
        added, conflicts = bulk_insert([account for _, account in pending], options.keep_ids, role_ids)
    except ValueError:  # a role was deleted meanwhile, and is unknown now
        return _write_batch(batch, pending, options)
    batch.added = added
    batch.bad += [(pending[index][0], error) for index, error in conflicts.items()]
    batch.present += len(pending) - added - len(conflicts)
    return batch
