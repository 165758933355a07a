"""`latchkey keys`: list, rotate and retire the key pairs that sign access tokens (JWS).

Key pairs exist if LATCHKEY_SIGNING_ALGORITHM is EdDSA, ES256 or RS256; the keys of HS256 are derived from the secret.
"""

import json
import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from latchkey.core import clock
from latchkey.management.arguments import confirm
from latchkey.management.options import OPTIONS
from latchkey.management.tables import format_table, format_time
from latchkey.signing_keys.models import PRIVATE_KEY_ENCRYPTION, SigningKey
from latchkey.signing_keys.rotation import retire, rotate
from latchkey.signing_keys.schedule import PROPAGATION, State
from latchkey.tokens.access_token import ALGORITHM

COLUMNS = ("kid", "algorithm", "state", "created_at", "signs_from", "retires_at", "verifies_until", "decrypts")
DERIVED_NOTICE = "LATCHKEY_SIGNING_ALGORITHM is 'HS256', whose keys are derived from the secret key"


class Command(BaseCommand):
    help = OPTIONS["keys"].help

    def add_arguments(self, parser: ArgumentParser) -> None:
        OPTIONS["keys"].add(parser)

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "list":
            self.show(options["as_json"])
        elif action == "rotate":
            self.rotate(options["at_once"])
        else:
            self.retire(options["kid"], options["yes"])

    def show(self, as_json: bool) -> None:
        """Print all keys, as a table or as JSON; never a private key."""
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
        """Create a key and print when it signs; with --now, return after the time that every process needs to load it.

        Raises ImproperlyConfigured with HS256, which has no key pairs.
        """
        if uses_derived_keys():
            raise ImproperlyConfigured(f"{DERIVED_NOTICE}; rotate the secret key instead (docs/operations.md).")
        made = rotate(settings.SIGNING_ALGORITHM, clock.now(), at_once)
        if at_once and made.previous:
            time.sleep(PROPAGATION.total_seconds())
        self.stdout.write(f"The key {made.kid} is published and signs from {format_time(made.signs_from)}.")
        if made.previous:
            self.stdout.write(f"Tokens signed by {made.previous} are valid until they expire.")

    def retire(self, kid: str, yes: bool) -> None:
        """Retire a key after a confirmation; raises ImproperlyConfigured for any answer but 'yes'."""
        if not yes:
            confirm(f"This refuses every access token signed by {kid} at once", "No key was retired")
        retire(kid, clock.now(), needed=not uses_derived_keys())
        self.stdout.write(f"Tokens signed by {kid} are refused from now on.")


def uses_derived_keys() -> bool:
    """Tell whether tokens are signed with HS256, whose keys are derived from the secret key."""
    return bool(settings.SIGNING_ALGORITHM == ALGORITHM)


def describe_key(row: SigningKey, now: datetime) -> dict[str, Any]:
    """Return the public facts of a key for `latchkey keys list`.

    `decrypts` tells whether its private key can be decrypted; it is None for a retired key, which signs no more.
    """
    state = row.schedule.state(now)
    decrypts = None if state == State.RETIRED else PRIVATE_KEY_ENCRYPTION.decrypt(bytes(row.private)) is not None
    times = {name: format_time(getattr(row, name)) for name in COLUMNS if name.endswith(("_at", "_from", "_until"))}
    return {"kid": row.kid, "algorithm": row.algorithm, "state": state.value, **times, "decrypts": decrypts}
