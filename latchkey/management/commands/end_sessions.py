"""`latchkey end_sessions`: sign out all users, or one user, on every device."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from latchkey.accounts.admin_actions import sign_out_everywhere
from latchkey.audit.log import COMMAND_LINE
from latchkey.management.arguments import confirm, get_user
from latchkey.management.options import OPTIONS
from latchkey.sessions.logout import end_all_sessions


class Command(BaseCommand):
    help = OPTIONS["end_sessions"].help

    def add_arguments(self, parser: ArgumentParser) -> None:
        OPTIONS["end_sessions"].add(parser)

    def handle(self, *args: Any, user: str | None, yes: bool, **options: Any) -> None:
        """End the sessions after a confirmation, and print how many users had some.

        Raises ImproperlyConfigured for an unknown user and for any answer but 'yes'.
        """
        one = None if user is None else get_user(user)
        if not yes:
            whom = "all users" if one is None else one.email
            confirm(f"This signs out {whom} at once, on every device", "No session was ended")
        count = end_all_sessions("end_sessions") if one is None else sign_out_everywhere([one.pk], COMMAND_LINE)
        self.stdout.write(f"Ended all sessions of {count} {'user' if count == 1 else 'users'}.")
