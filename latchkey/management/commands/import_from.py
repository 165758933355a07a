"""latchkey import-from: move from simplejwt, djoser or knox, with the users of the old project."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from latchkey.import_export.django_source import old_users
from latchkey.import_export.endpoint_map import ADDRESSES, LEFT_BEHIND
from latchkey.import_export.importer import Terms, take_in
from latchkey.management.commands.users import allowed
from latchkey.management.import_progress import Complaints, rejects_file, take_in_and_tell


class Command(BaseCommand):
    help = "Take the users of another Django project in, out of its database, and say what changes for clients."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("system", choices=ADDRESSES, help="what the project signs people in with")
        parser.add_argument("--database", metavar="URL", help="of the old project; it is only read")
        parser.add_argument("--table", default="auth_user", help="of its users (default: %(default)s)")
        parser.add_argument("--keep-ids", action="store_true", help="so that what refers to them goes on to")
        parser.add_argument("--with-staff", action="store_true", help="take is_staff and is_superuser along")
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="add what is wrong with bad users to a file")

    def handle(self, *args: Any, system: str, database: str | None, rejects: Path | None, **options: Any) -> None:
        """Take the users in if the database is named; exits with 1 where some were bad. Say what to change."""
        self.say_what_changes(system)
        if database is None:
            self.stdout.write("To take the users in, name their database: --database URL")
            return
        terms = allowed(Terms(options["keep_ids"], options["with_staff"]))
        with rejects_file(rejects) as collected, old_users(database, options["table"]) as (total, records):
            take_in_and_tell(
                self,
                take_in(records, terms),
                bar=tqdm(total=total, unit=" users", file=sys.stderr),
                start=0,
                complaints=Complaints(collected),
                to_go_on=lambda last: f"{last} of {total} are done; run it again to go on.",
            )

    def say_what_changes(self, system: str) -> None:
        width = max(len(old) for old, _ in ADDRESSES[system])
        self.stdout.write(f"{'what clients ask now':<{width}}  what they ask here")
        for old, new in ADDRESSES[system]:
            self.stdout.write(f"{old:<{width}}  {new}")
        self.stdout.write(f"{LEFT_BEHIND[system]} Bodies and front ends: docs/moving.md.")
