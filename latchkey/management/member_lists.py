"""Lists of e-mail addresses whose owners are granted a role, or lose it: read from a file, changed in batches."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from tqdm import tqdm

from latchkey.accounts.models import User, normalize_email
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.models import Role
from latchkey.authorization.roles import BATCH
from latchkey.import_export.source_lines import STDIO
from latchkey.management.import_progress import MAX_SHOWN

MAX_ADDRESS_CHARS = 1_000
"""Characters of a line that an error repeats at most; an e-mail address has 254."""


@dataclass(slots=True)
class ChangeTotals:
    """Counters of a change: users who were changed, who were like that already, and addresses that failed."""

    changed: int = 0
    present: int = 0
    failed: int = 0

    def add_error(self, sentence: str) -> None:
        """Print the error of an address, but of MAX_SHOWN addresses only."""
        self.failed += 1
        if self.failed <= MAX_SHOWN:
            tqdm.write(sentence, file=sys.stderr)
        elif self.failed == MAX_SHOWN + 1:
            tqdm.write("Further errors are not shown.", file=sys.stderr)


@contextmanager
def open_addresses(emails: list[str], file: str | None) -> Iterator[tuple[Iterable[str], int | None]]:
    """Yield the addresses on the command line and in the file, and their number, None if it is standard input.

    Raises ImproperlyConfigured with a sentence for a file that cannot be read.
    """
    if file is None:
        yield emails, len(emails)
        return
    try:
        if file == STDIO:
            yield _chain(emails, sys.stdin), None
            return
        with Path(file).open(encoding="utf-8-sig") as source:
            total = sum(1 for line in source if line.strip())
            source.seek(0)
            yield _chain(emails, source), len(emails) + total
    except UnicodeDecodeError as error:
        raise ImproperlyConfigured(f"{file!r} is not a text in UTF-8.") from error
    except OSError as error:
        raise ImproperlyConfigured(f"{file!r} cannot be read: {error.strerror}.") from error


def _chain(emails: list[str], lines: Iterable[str]) -> Iterator[str]:
    yield from emails
    yield from (line.strip() for line in lines if line.strip())


def change_members(
    addresses: Iterable[str], role: Role, act: Callable[..., int], totals: ChangeTotals
) -> Iterator[int]:
    """Grant or revoke a role in batches, and yield the number of addresses of each, which is committed then.

    An address that nobody has is printed. So is the error of a user who cannot be granted the role; the others of the
    batch are.
    """
    batch: list[str] = []
    for address in addresses:
        batch.append(address)
        if len(batch) == BATCH:
            yield _change_batch(batch, role, act, totals)
            batch = []
    if batch:
        yield _change_batch(batch, role, act, totals)


def _change_batch(batch: list[str], role: Role, act: Callable[..., int], totals: ChangeTotals) -> int:
    began = time.monotonic()
    users = _find_users(batch, totals)
    try:
        changed = act(list(users), role, COMMAND_LINE)
        totals.changed, totals.present = totals.changed + changed, totals.present + len(users) - changed
    except ValueError:
        for user_id, address in users.items():
            try:
                changed = act([user_id], role, COMMAND_LINE)
                totals.changed, totals.present = totals.changed + changed, totals.present + 1 - changed
            except ValueError as error:
                totals.add_error(f"{address}: {error}")
    if connection.vendor == "sqlite" and len(batch) == BATCH:  # leave the lock free for as long as it was held
        time.sleep(time.monotonic() - began)
    return len(batch)


def _find_users(batch: list[str], totals: ChangeTotals) -> dict[int, str]:
    """Return the ids of the users with these addresses, in any spelling of them; the others are errors."""
    spellings: dict[str, str] = {}
    for address in batch:
        try:
            spellings.setdefault(normalize_email(address[:MAX_ADDRESS_CHARS]), address)
        except ValueError:
            totals.add_error(f"{address[:MAX_ADDRESS_CHARS]!r} is not a valid e-mail address.")
    found = dict(User.objects.filter(email__in=list(spellings)).values_list("email", "pk"))
    for email, address in spellings.items():
        if email not in found:
            totals.add_error(f"There is no user with the e-mail address {address!r}.")
    return {pk: email for email, pk in found.items()}
