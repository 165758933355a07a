"""`latchkey import-from`: import the users of a Django project that uses simplejwt, djoser or knox."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from latchkey.import_export.django_source import read_users
from latchkey.import_export.endpoint_map import ENDPOINT_MAP, NOT_MIGRATED
from latchkey.import_export.importer import ImportOptions, import_users
from latchkey.management.import_progress import RejectLog, open_rejects_file, run_import, validate_options
from latchkey.management.options import OPTIONS


class Command(BaseCommand):
    help = OPTIONS["import_from"].help

    def add_arguments(self, parser: ArgumentParser) -> None:
        OPTIONS["import_from"].add(parser)

    def handle(self, *args: Any, system: str, database: str | None, rejects: Path | None, **options: Any) -> None:
        """Print the table of endpoints, and import the users of --database; exit with 1 if some were rejected."""
        self.print_endpoint_map(system)
        if database is None:
            self.stdout.write("To import the users, add --database URL.")
            return
        checked = validate_options(ImportOptions(options["keep_ids"], options["with_staff"]))
        with open_rejects_file(rejects) as collected, read_users(database, options["table"]) as (total, records):
            run_import(
                self,
                import_users(records, checked),
                bar=tqdm(total=total, unit=" users", file=sys.stderr),
                start=0,
                rejects=RejectLog(collected),
                resume_hint=lambda last: f"{last} of {total} users are processed; run the command again to continue.",
            )

    def print_endpoint_map(self, system: str) -> None:
        """Print a table: an endpoint of the old project, and what replaces it here."""
        width = max(len(old) for old, _ in ENDPOINT_MAP[system])
        self.stdout.write(f"{'old endpoint':<{width}}  endpoint of Latchkey")
        for old, new in ENDPOINT_MAP[system]:
            self.stdout.write(f"{old:<{width}}  {new}")
        self.stdout.write(f"{NOT_MIGRATED[system]} Request bodies and front ends: see docs/moving.md.")
