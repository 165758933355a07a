"""latchkey import-from: move from simplejwt, djoser or knox, with the users of the old project."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from latchkey.import_export.django_source import read_users
from latchkey.import_export.endpoint_map import ENDPOINT_MAP, NOT_MIGRATED
from latchkey.import_export.importer import ImportOptions, import_users
from latchkey.management.commands.users import validate_options
from latchkey.management.import_progress import RejectLog, open_rejects_file, run_import


class Command(BaseCommand):
    help = "Take the users of another Django project in, out of its database, and say what changes for clients."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("system", choices=ENDPOINT_MAP, help="what the project signs people in with")
        parser.add_argument("--database", metavar="URL", help="of the old project; it is only read")
        parser.add_argument("--table", default="auth_user", help="of its users (default: %(default)s)")
        parser.add_argument("--keep-ids", action="store_true", help="so that what refers to them goes on to")
        parser.add_argument("--with-staff", action="store_true", help="take is_staff and is_superuser along")
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="add what is wrong with bad users to a file")

    def handle(self, *args: Any, system: str, database: str | None, rejects: Path | None, **options: Any) -> None:
        """Take the users in if the database is named; exits with 1 where some were bad. Say what to change."""
        self.print_endpoint_map(system)
        if database is None:
            self.stdout.write("To take the users in, name their database: --database URL")
            return
        terms = validate_options(ImportOptions(options["keep_ids"], options["with_staff"]))
        with open_rejects_file(rejects) as collected, read_users(database, options["table"]) as (total, records):
            run_import(
                self,
                import_users(records, terms),
                bar=tqdm(total=total, unit=" users", file=sys.stderr),
                start=0,
                rejects=RejectLog(collected),
                resume_hint=lambda last: f"{last} of {total} are done; run it again to go on.",
            )

    def print_endpoint_map(self, system: str) -> None:
        width = max(len(old) for old, _ in ENDPOINT_MAP[system])
        self.stdout.write(f"{'what clients ask now':<{width}}  what they ask here")
        for old, new in ENDPOINT_MAP[system]:
            self.stdout.write(f"{old:<{width}}  {new}")
        self.stdout.write(f"{NOT_MIGRATED[system]} Bodies and front ends: docs/moving.md.")
