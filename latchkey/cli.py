"""The console script: `latchkey serve` and every Django management command."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility


def main() -> None:
    """Run a command; settings that cannot be used end it with one sentence and exit code 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "latchkey.settings")
    try:
        ManagementUtility(["latchkey", *sys.argv[1:]]).execute()
    except ImproperlyConfigured as error:
        sys.exit(_complain(error))


def _complain(error: Exception) -> int:
    print(f"latchkey: {error}", file=sys.stderr)
    return 2
