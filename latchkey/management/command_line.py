"""Django's ManagementUtility with the error messages and exit codes of Latchkey.

It is a module apart from latchkey/cli.py because it imports Django, for which the help text does not wait.
"""

import os
import sys
from difflib import get_close_matches
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility, get_commands
from django.core.management.base import BaseCommand
from django.db import OperationalError


class CommandLine(ManagementUtility):
    """A ManagementUtility that is called by the name `latchkey` and ends with exit code 2 at an unknown command."""

    def __init__(self, program: str, arguments: list[str]) -> None:
        super().__init__([program, *arguments])
        self.prog_name = program  # not its base name: 'latchkey django' is one, too

    def fetch_command(self, subcommand: str) -> BaseCommand:
        """Return the command; exit with code 2, and with the nearest name, where there is none of this name.

        A hyphen in the name of a command is an underscore in that of its module: `latchkey import-from`. Raises
        ImproperlyConfigured where settings are broken, because then only commands of Django's core are known.
        """
        commands, name = get_commands(), subcommand.replace("-", "_")
        if name in commands:
            return super().fetch_command(name)
        if self.settings_exception:
            raise self.settings_exception
        hint = f"'{self.prog_name} --help' lists them."
        if nearest := get_close_matches(name, commands, n=1):
            spelled = nearest[0].replace("_", "-") if "-" in subcommand else nearest[0]
            hint = f"did you mean {spelled!r}?"
        return exit_with_error(f"{subcommand!r} is not a command; {hint}")


def execute(program: str, arguments: list[str]) -> None:
    """Set Django up and run a command; `program` is the name in its usage line.

    A setting or a database that cannot be used ends it with one sentence and exit code 2.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "latchkey.settings")
    try:
        CommandLine(program, arguments).execute()
    except ImproperlyConfigured as error:
        exit_with_error(str(error))
    except OperationalError as error:
        reason = str(error).splitlines()[0]
        exit_with_error(f"The database cannot be used; check DATABASE_URL. It says: {reason}")


def exit_with_error(sentence: str) -> NoReturn:
    """Print the sentence on stderr and exit with code 2."""
    print(f"latchkey: {sentence}", file=sys.stderr)
    sys.exit(2)
