"""latchkey keys: the key pairs that sign access tokens, where LATCHKEY_SIGNING_ALGORITHM asks for some."""

import json
import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from latchkey.core import clock
from latchkey.signing_keys.models import PRIVATE_KEY_ENCRYPTION, SigningKey
from latchkey.signing_keys.rotation import retire, rotate
from latchkey.signing_keys.schedule import PROPAGATION, State
from latchkey.tokens.access_token import ALGORITHM

COLUMNS = ("kid", "algorithm", "state", "created_at", "signs_from", "retires_at", "verifies_until", "decrypts")
DERIVED_NOTICE = "LATCHKEY_SIGNING_ALGORITHM is 'HS256', whose keys are derived from the secret key"


class Command(BaseCommand):
    help = "List, change and retire the key pairs that sign access tokens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="{list,rotate,retire}")
        listing = actions.add_parser("list", help="show every key, its state and its times")
        listing.add_argument("--json", action="store_true", dest="as_json", help="as a JSON document")
        turn = actions.add_parser("rotate", help="publish a new key, which signs in ten minutes")
        turn.add_argument("--now", action="store_true", dest="at_once", help="which signs within two seconds")
        end = actions.add_parser("retire", help="have the tokens of a key refused at once; for after a leak")
        end.add_argument("kid", metavar="KID", help="the key, as 'latchkey keys list' names it")
        end.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "list":
            self.show(options["as_json"])
        elif action == "rotate":
            self.rotate(options["at_once"])
        else:
            self.retire(options["kid"], options["yes"])

    def show(self, as_json: bool) -> None:
        now = clock.now()
        rows = [describe_key(row, now) for row in SigningKey.objects.order_by("number")]
        if as_json:
            self.stdout.write(json.dumps(rows, indent=2))
        elif rows:
            self.stdout.write(format_table([list(COLUMNS), *([str(row[name]) for name in COLUMNS] for row in rows)]))
        else:
            self.stdout.write(
                f"There are no signing keys. {DERIVED_NOTICE}." if uses_derived_keys() else "There are no signing keys."
            )

    def rotate(self, at_once: bool) -> None:
        """Make a key and say when it signs; with --now, return once every process knows it."""
        if uses_derived_keys():
            raise ImproperlyConfigured(f"{DERIVED_NOTICE}; change that one instead (docs/operations.md).")
        made = rotate(settings.SIGNING_ALGORITHM, clock.now(), at_once)
        if at_once and made.previous:
            time.sleep(PROPAGATION.total_seconds())
        self.stdout.write(f"The key {made.kid} is published, and signs from {format_time(made.signs_from)}.")
        if made.previous:
            self.stdout.write(f"Tokens of {made.previous} are good until they end.")

    def retire(self, kid: str, yes: bool) -> None:
        if not yes:
            confirm(kid)
        retire(kid, clock.now(), needed=not uses_derived_keys())
        self.stdout.write(f"Tokens of {kid} are refused from now on.")


def uses_derived_keys() -> bool:
    return bool(settings.SIGNING_ALGORITHM == ALGORITHM)


def confirm(kid: str) -> None:
    """Raise ImproperlyConfigured unless somebody types 'yes'."""
    try:
        answer = input(f"This has every access token of {kid} refused at once. Type 'yes' to go on: ")
    except EOFError:
        answer = ""
    if answer.strip().lower() != "yes":
        raise ImproperlyConfigured("No key was retired; answer 'yes', or give --yes.")


def describe_key(row: SigningKey, now: datetime) -> dict[str, Any]:
    """Return what an operator may know of a key; whether it decrypts is of no interest once it is retired."""
    state = row.schedule.state(now)
    decrypts = None if state == State.RETIRED else PRIVATE_KEY_ENCRYPTION.decrypt(bytes(row.private)) is not None
    times = {name: format_time(getattr(row, name)) for name in COLUMNS if name.endswith(("_at", "_from", "_until"))}
    return {"kid": row.kid, "algorithm": row.algorithm, "state": state.value, **times, "decrypts": decrypts}


def format_time(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def format_table(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    words = {"None": "-", "True": "yes", "False": "no"}
    padded = [[words.get(cell, cell).ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in padded)
