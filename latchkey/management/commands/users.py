"""`latchkey users`: bulk import and export of users with their password hashes, and the reset of second factors."""

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
from latchkey.audit.log import COMMAND_LINE, record
from latchkey.factors.reset import clean_reason, reset_second_factors
from latchkey.import_export.exporter import atomic_write, export_users, standard_output, write_users
from latchkey.import_export.importer import ImportOptions, import_users
from latchkey.import_export.reader import read_file
from latchkey.import_export.record import EXPORT_FIELDS, TOTP_SECRET
from latchkey.import_export.source_lines import STDIO, count_lines, detect_format, open_source
from latchkey.management.arguments import confirm, get_user
from latchkey.management.import_progress import (
    EXIT_INTERRUPTED,
    RejectLog,
    open_rejects_file,
    run_import,
    validate_options,
)
from latchkey.management.options import OPTIONS


class Command(BaseCommand):
    help = OPTIONS["users"].help

    def add_arguments(self, parser: ArgumentParser) -> None:
        OPTIONS["users"].add(parser)

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        actions: dict[str, Callable[..., None]] = {
            "import": self.import_file,
            "export": self.export_file,
            "reset-factors": self.reset_factors,
        }
        actions[action](**options)

    def import_file(self, file: str, form: str | None, from_line: int, rejects: Path | None, **options: Any) -> None:
        """Import a file line by line; exit with 1 if lines were rejected, which never stops the import."""
        form = detect_format(file, form)
        checked = validate_options(ImportOptions(options["keep_ids"], options["with_staff"]))
        with open_source(file) as source, open_rejects_file(rejects) as collected:
            total = count_lines(source)
            records = read_file(source, form, from_line)
            run_import(
                self,
                import_users(records, checked),
                bar=tqdm(total=total, initial=from_line - 1, unit=" lines", file=sys.stderr),
                start=from_line - 1,
                rejects=RejectLog(collected),
                resume_hint=lambda last: f"Imported up to line {last}; continue with --from-line {last + 1}.",
            )

    def export_file(self, file: str, form: str | None, **options: Any) -> None:
        """Export to a file, which appears when it is complete; exit with 130 after Ctrl-C."""
        form = detect_format(file, form)
        fields = [name for name in EXPORT_FIELDS if name != "password_hash" or not options["without_hashes"]]
        fields += [TOTP_SECRET] if options["with_totp_secrets"] else []
        total = User.objects.count()
        extent = [word for word in ("without_hashes", "with_totp_secrets") if options[word]]
        try:
            with standard_output() if file == STDIO else atomic_write(Path(file), overwrite=options["force"]) as target:
                record(Event.USERS_EXPORTED, reason=" ".join([str(total), *extent]).replace("_", " "))
                with tqdm(total=total, unit=" users", file=sys.stderr) as bar:
                    for count in write_users(target, form, fields, export_users(fields)):
                        bar.update(count)
        except FileExistsError as error:
            raise ImproperlyConfigured(f"{file!r} exists already; --force overwrites it.") from error
        except OSError as error:
            raise ImproperlyConfigured(f"{file!r} cannot be written: {error.strerror}.") from error
        except KeyboardInterrupt:
            self.stderr.write("Stopped. No file was written.")
            sys.exit(EXIT_INTERRUPTED)

    def reset_factors(self, email: str, reason: str, yes: bool, **options: Any) -> None:
        """Delete the second factors of a user, after a confirmation.

        Raises ImproperlyConfigured for an unknown user, one without a second factor, a reason that cannot be stored,
        and any answer but 'yes'.
        """
        user = get_user(email)
        if not user.second_factors:
            raise ImproperlyConfigured(f"{user.email} has no second factor.")
        try:
            clean_reason(reason, COMMAND_LINE)
        except ValueError as error:
            raise ImproperlyConfigured(str(error)) from error
        if not yes:
            consequence = "deletes authenticator app, passkeys and recovery codes, and signs out every device"
            confirm(f"For {user.email} this {consequence}", "No factor was deleted")
        reset_second_factors([user.pk], reason, COMMAND_LINE)
        self.stdout.write(f"Reset the second factors of {user.email}. The password signs in alone now.")
