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
from latchkey.import_export.bulk_insert import can_set_sequence
from latchkey.import_export.exporter import atomic_write, export_users, standard_output, write_users
from latchkey.import_export.importer import ImportOptions, import_users
from latchkey.import_export.reader import read_file
from latchkey.import_export.record import EXPORT_FIELDS
from latchkey.import_export.source_lines import FORMATS, STDIO, count_lines, detect_format, open_source
from latchkey.management.commands.serve import int_range
from latchkey.management.import_progress import EXIT_INTERRUPTED, RejectLog, open_rejects_file, run_import


class Command(BaseCommand):
    help = "Import users from CSV or JSON lines with the password hashes that they have, and export them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(required=True, metavar="import | export")
        taking = actions.add_parser("import", help="add the users of a file; those who are there stay as they are")
        taking.add_argument("file", metavar="FILE", help="'-' is standard input")
        taking.add_argument("--format", choices=FORMATS, dest="form", help="where the name of the file does not say")
        taking.add_argument("--keep-ids", action="store_true", help="as in the file; needs a free id for everybody")
        taking.add_argument("--with-staff", action="store_true", help="take is_staff and is_superuser as in the file")
        taking.add_argument("--from-line", type=int_range(1, 10**12), default=1, metavar="N", help="go on from there")
        taking.add_argument("--rejects", type=Path, metavar="FILE", help="add what is wrong with bad lines to a file")
        taking.set_defaults(act=self.import_file)
        handing = actions.add_parser("export", help="write all users into a file that import reads")
        handing.add_argument("file", metavar="FILE", nargs="?", default=STDIO, help="'-' is standard output")
        handing.add_argument("--format", choices=FORMATS, dest="form", help="where the name of the file does not say")
        handing.add_argument("--without-hashes", action="store_true", help="leave the password hashes out")
        handing.add_argument("--force", action="store_true", help="overwrite the file")
        handing.set_defaults(act=self.export_file)

    def handle(self, *args: Any, act: Callable[..., None], **options: Any) -> None:
        act(**options)

    def import_file(self, file: str, form: str | None, from_line: int, rejects: Path | None, **options: Any) -> None:
        """Read the file line by line; exits with 1 where lines were bad, which are never fatal."""
        form = detect_format(file, form)
        terms = validate_options(ImportOptions(options["keep_ids"], options["with_staff"]))
        with open_source(file) as source, open_rejects_file(rejects) as collected:
            total = count_lines(source)
            records = read_file(source, form, from_line)
            run_import(
                self,
                import_users(records, terms),
                bar=tqdm(total=total, initial=from_line - 1, unit=" lines", file=sys.stderr),
                start=from_line - 1,
                rejects=RejectLog(collected),
                resume_hint=lambda last: f"All up to line {last} is in; go on with --from-line {last + 1}.",
            )

    def export_file(self, file: str, form: str | None, without_hashes: bool, force: bool, **options: Any) -> None:
        """Write the file, which is there when it is whole; exits with 130 after Ctrl-C."""
        form = detect_format(file, form)
        left_out = {"password_hash"} if without_hashes else set()
        fields = [name for name in EXPORT_FIELDS if name not in left_out]
        total = User.objects.count()
        try:
            with standard_output() if file == STDIO else atomic_write(Path(file), overwrite=force) as target:
                record(Event.USERS_EXPORTED, reason=f"{total}{' without hashes' if without_hashes else ''}")
                with tqdm(total=total, unit=" users", file=sys.stderr) as bar:
                    for count in write_users(target, form, fields, export_users(fields)):
                        bar.update(count)
        except FileExistsError as error:
            raise ImproperlyConfigured(f"{file!r} is there already; --force overwrites a file.") from error
        except OSError as error:
            raise ImproperlyConfigured(f"{file!r} cannot be written: {error.strerror}.") from error
        except KeyboardInterrupt:
            self.stderr.write("Stopped. No file was written.")
            sys.exit(EXIT_INTERRUPTED)


def validate_options(options: ImportOptions) -> ImportOptions:
    """Return the terms; raises ImproperlyConfigured where the role of the database may not keep to them."""
    if options.keep_ids and not can_set_sequence():
        raise ImproperlyConfigured("--keep-ids moves the sequence of ids, which only the owner of the tables may do.")
    return options
