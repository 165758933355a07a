"""The console script: `latchkey serve` and every Django management command."""

import os
import sys
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility
from django.db import OperationalError


def main() -> None:
    """Run a command; what the operator has to mend ends it with one sentence and exit code 2."""
    os.umask(0o077)  # what the service makes is for its own user, the SQLite database too
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "latchkey.settings")
    command = [word.replace("-", "_") for word in sys.argv[1:2] if not word.startswith("-")]  # a module has no hyphen
    try:
        ManagementUtility(["latchkey", *(command or sys.argv[1:2]), *sys.argv[2:]]).execute()
    except ImproperlyConfigured as error:
        _exit_with_error(str(error))
    except OperationalError as error:
        reason = str(error).splitlines()[0]
        _exit_with_error(f"The database cannot be used; check DATABASE_URL. It says: {reason}")


def _exit_with_error(sentence: str) -> NoReturn:
    print(f"latchkey: {sentence}", file=sys.stderr)
    sys.exit(2)
