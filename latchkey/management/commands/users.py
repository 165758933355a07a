"""latchkey users: take many users in from a file, and write all of them into one."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand
from tqdm import tqdm

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.import_export.bulk_insert import may_keep_ids
from latchkey.import_export.exporter import hand_out, standard_output, whole_file, write_file
from latchkey.import_export.importer import Terms, take_in
from latchkey.import_export.reader import read_file
from latchkey.import_export.record import KEPT
from latchkey.import_export.source_lines import FORMATS, STANDARD, form_of, lines_in, opened
from latchkey.management.commands.serve import between
from latchkey.management.import_progress import INTERRUPTED, Complaints, rejects_file, take_in_and_tell


class Command(BaseCommand):
    help = "Import users from CSV or JSON lines with the password hashes that they have, and export them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(required=True, metavar="import | export")
        taking = actions.add_parser("import", help="add the users of a file; those who are there stay as they are")
        taking.add_argument("file", metavar="FILE", help="'-' is standard input")
        taking.add_argument("--format", choices=FORMATS, dest="form", help="where the name of the file does not say")
        taking.add_argument("--keep-ids", action="store_true", help="as in the file; needs a free id for everybody")
        taking.add_argument("--with-staff", action="store_true", help="take is_staff and is_superuser as in the file")
        taking.add_argument("--from-line", type=between(1, 10**12), default=1, metavar="N", help="go on from there")
        taking.add_argument("--rejects", type=Path, metavar="FILE", help="add what is wrong with bad lines to a file")
        taking.set_defaults(act=self.take_in)
        handing = actions.add_parser("export", help="write all users into a file that import reads")
        handing.add_argument("file", metavar="FILE", nargs="?", default=STANDARD, help="'-' is standard output")
        handing.add_argument("--format", choices=FORMATS, dest="form", help="where the name of the file does not say")
        handing.add_argument("--without-hashes", action="store_true", help="leave the password hashes out")
        handing.add_argument("--force", action="store_true", help="overwrite the file")
        handing.set_defaults(act=self.hand_out)

    def handle(self, *args: Any, act: Callable[..., None], **options: Any) -> None:
        act(**options)

    def take_in(self, file: str, form: str | None, from_line: int, rejects: Path | None, **options: Any) -> None:
        """Read the file line by line; exits with 1 where lines were bad, which are never fatal."""
        form = form_of(file, form)
        terms = allowed(Terms(options["keep_ids"], options["with_staff"]))
        with opened(file) as source, rejects_file(rejects) as collected:
            total = lines_in(source)
            records = read_file(source, form, from_line)
            take_in_and_tell(
                self,
                take_in(records, terms),
                bar=tqdm(total=total, initial=from_line - 1, unit=" lines", file=sys.stderr),
                start=from_line - 1,
                complaints=Complaints(collected),
                to_go_on=lambda last: f"All up to line {last} is in; go on with --from-line {last + 1}.",
            )

    def hand_out(self, file: str, form: str | None, without_hashes: bool, force: bool, **options: Any) -> None:
        """Write the file, which is there when it is whole; exits with 130 after Ctrl-C."""
        form = form_of(file, form)
        left_out = {"password_hash"} if without_hashes else set()
        fields = [name for name in KEPT if name not in left_out]
        total = User.objects.count()
        try:
            with standard_output() if file == STANDARD else whole_file(Path(file), overwrite=force) as target:
                record(Event.USERS_EXPORTED, reason=f"{total}{' without hashes' if without_hashes else ''}")
                with tqdm(total=total, unit=" users", file=sys.stderr) as bar:
                    for count in write_file(target, form, fields, hand_out(fields)):
                        bar.update(count)
        except FileExistsError as error:
            raise ImproperlyConfigured(f"{file!r} is there already; --force overwrites a file.") from error
        except OSError as error:
            raise ImproperlyConfigured(f"{file!r} cannot be written: {error.strerror}.") from error
        except KeyboardInterrupt:
            self.stderr.write("Stopped. No file was written.")
            sys.exit(INTERRUPTED)


def allowed(terms: Terms) -> Terms:
    """Return the terms; raises ImproperlyConfigured where the role of the database may not keep to them."""
    if terms.keep_ids and not may_keep_ids():
        raise ImproperlyConfigured("--keep-ids moves the sequence of ids, which only the owner of the tables may do.")
    return terms
