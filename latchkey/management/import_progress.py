"""Progress bar, error report and exit codes of an import of users, shared by `users import` and `import-from`."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TextIO

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand
from django.db import DatabaseError, OperationalError
from tqdm import tqdm

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.import_export.bulk_insert import can_set_sequence
from latchkey.import_export.importer import ImportBatch, ImportOptions
from latchkey.import_export.source_lines import SourceRecord

MAX_SHOWN = 20
"""Rejected records whose errors are printed, without --rejects; of the others only the number is."""

EXIT_REJECTED, EXIT_INTERRUPTED = 1, 130
"""Exit codes: some records were rejected; Ctrl-C (128 + SIGINT, as a shell reports it)."""


def validate_options(options: ImportOptions) -> ImportOptions:
    """Return the options; raise ImproperlyConfigured if the role of the database lacks a privilege that they need."""
    if options.keep_ids and not can_set_sequence():
        raise ImproperlyConfigured("--keep-ids sets the sequence of ids, which only the owner of the tables may do.")
    return options


@dataclass(slots=True)
class ImportTotals:
    """Counters of an import, and the position at which its last batch ended (a line, or a record of the database)."""

    last: int = 0
    added: int = 0
    present: int = 0
    rejected: int = 0
    hashed: int = 0

    def __str__(self) -> str:
        return f"{self.added} added, {self.present} already present, {self.rejected} rejected."


class RejectLog:
    """Errors of rejected records: written to a file, or to stderr up to MAX_SHOWN."""

    def __init__(self, file: TextIO | None) -> None:
        self.file, self.count = file, 0

    def add(self, found: SourceRecord, error: str) -> None:
        """Write one error, with the line or the id of its record; not the record, which may have a password."""
        self.count += 1
        line = f"{found.name}: {error}"
        if self.file:
            print(line, file=self.file, flush=True)
        elif self.count <= MAX_SHOWN:
            tqdm.write(line, file=sys.stderr)

    def close(self) -> None:
        """Print how many errors were not shown."""
        if not self.file and self.count > MAX_SHOWN:
            print(f"and {self.count - MAX_SHOWN} more errors; --rejects FILE writes all of them.", file=sys.stderr)


def run_import(  # noqa: PLR0913  # all but two are keyword arguments
    command: BaseCommand,
    batches: Iterable[ImportBatch],
    *,
    bar: "tqdm[NoReturn]",
    start: int,
    rejects: RejectLog,
    resume_hint: Callable[[int], str],
) -> None:
    """Run an import with a progress bar, and print its totals.

    `resume_hint` returns the sentence that says how to continue after a position. Exits with EXIT_REJECTED if records
    were rejected and with EXIT_INTERRUPTED after Ctrl-C; raises ImproperlyConfigured if the database or the file fails.
    """
    totals = ImportTotals(last=start)
    with bar, _report_outcome(command, totals, rejects, resume_hint):
        for batch in batches:
            bar.update(max(0, batch.last - totals.last))
            totals.last = max(batch.last, totals.last)
            if batch.hashed and not totals.hashed:
                tqdm.write("Plain-text passwords are hashed one by one, about 50 per second.", file=sys.stderr)
            totals.hashed += batch.hashed
            totals.added, totals.present = totals.added + batch.added, totals.present + batch.present
            totals.rejected += len(batch.bad)
            for found, error in batch.bad:
                rejects.add(found, error)
    if totals.rejected:
        sys.exit(EXIT_REJECTED)


@contextmanager
def _report_outcome(
    command: BaseCommand, totals: ImportTotals, rejects: RejectLog, resume_hint: Callable[[int], str]
) -> Iterator[None]:
    """Print the totals however the import ends, and record the event; raise ImproperlyConfigured at an error."""
    try:
        yield
    except KeyboardInterrupt:
        command.stderr.write(f"Stopped. {resume_hint(totals.last)}")
        sys.exit(EXIT_INTERRUPTED)
    except (OperationalError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ImproperlyConfigured(f"{resume_hint(totals.last)} The import stopped: {reason}") from error
    finally:
        rejects.close()
        if totals.added:
            with suppress(DatabaseError):  # which may have ended the import
                record(Event.USERS_IMPORTED, reason=str(totals.added))
        command.stdout.write(str(totals))


def open_rejects_file(path: Path | None) -> AbstractContextManager[TextIO | None]:
    """Open the file of --rejects for appending; raise ImproperlyConfigured if it cannot be written."""
    if path is None:
        return nullcontext()
    try:
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise ImproperlyConfigured(f"{str(path)!r} cannot be written: {error.strerror}.") from error
