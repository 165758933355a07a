"""Set-up of Latchkey for the example: the commands that an operator types once. Prints the secret of the notes service.

They run in one process, as the start of each would take a second or more.
"""

import sys
from contextlib import suppress
from io import StringIO

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

REFUSALS = (CommandError, ImproperlyConfigured)
"""What commands raise if there is nothing to do."""


def main() -> None:
    """Create the database, require confirmed addresses, add the role `editor` and the credential of the service."""
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("constance", "set", "EMAIL_VERIFICATION", "required")
    call_command("constance", "set", "SITE_NAME", "Notes")
    call_command("constance", "set", "APP_URL", sys.argv[1])  # the button of the page that a link in a mail opens
    with suppress(*REFUSALS):  # an earlier set-up was interrupted: the role exists, and so may a secret
        call_command("roles", "add", "editor", "--description", "Deletes notes.", stdout=StringIO())
    with suppress(*REFUSALS):
        call_command("services", "remove", "notes", stdout=StringIO())
    printed = StringIO()
    call_command("services", "add", "notes", stdout=printed)
    print(printed.getvalue().split()[-1])


if __name__ == "__main__":
    main()
