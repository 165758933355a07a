"""Django's ManagementUtility with the error messages and exit codes of Latchkey.

It is a module apart from latchkey/cli.py because it imports Django, for which the help text does not wait.
"""

import os
import sys
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from latchkey.management.command_names import refuse_unknown_command


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
        return refuse_unknown_command(self.prog_name, subcommand)


def execute(program: str, arguments: list[str]) -> None:
    """Set Django up and run a command; `program` is the name in its usage line.

    A setting or a database that cannot be used ends it with one sentence and exit code 2.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "latchkey.settings")
    CommandParser.error = refuse_arguments  # type: ignore[assignment, method-assign]  # Django's own prints its usage, too
    try:
        CommandLine(program, arguments).execute()
    except ImproperlyConfigured as error:
        exit_with_error(str(error))
    except OperationalError as error:
        reason = str(error).splitlines()[0]
        exit_with_error(f"The database cannot be used; check DATABASE_URL. It says: {reason}")


def refuse_arguments(parser: CommandParser, message: str) -> NoReturn:
    """Print what is wrong with the arguments, without the usage, and exit with 2; `call_command` raises instead."""
    if not parser.called_from_command_line:
        raise CommandError(f"Error: {message}")
    print(f"{parser.prog}: {message}; '{parser.prog} --help' lists the options.", file=sys.stderr)
    sys.exit(2)


def exit_with_error(sentence: str) -> NoReturn:
    """Print the sentence on stderr and exit with code 2."""
    print(f"latchkey: {sentence}", file=sys.stderr)
    sys.exit(2)
