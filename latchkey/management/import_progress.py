"""Show how users are taken in, and end as it went: what the commands that do it share."""

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
from latchkey.import_export.importer import ImportBatch
from latchkey.import_export.source_lines import SourceRecord

MAX_SHOWN = 20
"""Bad records that are shown where no file collects them."""

EXIT_REJECTED, EXIT_INTERRUPTED = 1, 130
"""Exit codes; 130 is what a shell makes of Ctrl-C."""


@dataclass(slots=True)
class ImportTotals:
    """How it goes: where the last batch ended, and what came of whom."""

    last: int = 0
    added: int = 0
    present: int = 0
    bad: int = 0
    hashed: int = 0

    def __str__(self) -> str:
        return f"{self.added} added, {self.present} already there, {self.bad} bad."


class RejectLog:
    """Where it is said what is wrong with a record: in a file, or on the screen until it gets too much."""

    def __init__(self, file: TextIO | None) -> None:
        self.file, self.count = file, 0

    def add(self, found: SourceRecord, complaint: str) -> None:
        self.count += 1
        said = f"{found.name}: {complaint}"
        if self.file:
            print(said, file=self.file, flush=True)
        elif self.count <= MAX_SHOWN:
            tqdm.write(said, file=sys.stderr)

    def close(self) -> None:
        if not self.file and self.count > MAX_SHOWN:
            print(f"and {self.count - MAX_SHOWN} more; --rejects FILE collects them all.", file=sys.stderr)


def run_import(  # noqa: PLR0913  # all but two are named at the call
    command: BaseCommand,
    batches: Iterable[ImportBatch],
    *,
    bar: "tqdm[NoReturn]",
    start: int,
    rejects: RejectLog,
    resume_hint: Callable[[int], str],
) -> None:
    """Go through the steps, and say what came of them; exits with 1 where records were bad, with 130 after Ctrl-C."""
    tally = ImportTotals(last=start)
    with bar, _report_outcome(command, tally, rejects, resume_hint):
        for step in batches:
            bar.update(max(0, step.last - tally.last))
            tally.last = max(step.last, tally.last)
            if step.hashed and not tally.hashed:
                tqdm.write("Passwords in the clear are hashed one by one, some fifty in a second.", file=sys.stderr)
            tally.hashed += step.hashed
            tally.added, tally.present = tally.added + step.added, tally.present + step.present
            tally.bad += len(step.bad)
            for found, complaint in step.bad:
                rejects.add(found, complaint)
    if tally.bad:
        sys.exit(EXIT_REJECTED)


@contextmanager
def _report_outcome(
    command: BaseCommand, totals: ImportTotals, rejects: RejectLog, resume_hint: Callable[[int], str]
) -> Iterator[None]:
    """Sum up, however it ends; raises ImproperlyConfigured where it cannot go on."""
    try:
        yield
    except KeyboardInterrupt:
        command.stderr.write(f"Stopped. {resume_hint(totals.last)}")
        sys.exit(EXIT_INTERRUPTED)
    except (OperationalError, OSError) as error:
        raise ImproperlyConfigured(f"{resume_hint(totals.last)} It stopped: {str(error).splitlines()[0]}") from error
    finally:
        rejects.close()
        if totals.added:
            with suppress(DatabaseError):  # it may be what ended the import
                record(Event.USERS_IMPORTED, reason=str(totals.added))
        command.stdout.write(str(totals))


def open_rejects_file(path: Path | None) -> AbstractContextManager[TextIO | None]:
    """Open the file that collects what is wrong, to add to it; raises ImproperlyConfigured."""
    if path is None:
        return nullcontext()
    try:
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise ImproperlyConfigured(f"{str(path)!r} cannot be written to: {error.strerror}.") from error
