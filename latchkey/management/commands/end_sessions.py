"""latchkey end_sessions: have everybody, or one user, sign in again."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from latchkey.accounts.admin_actions import sign_out_everywhere
from latchkey.accounts.models import User
from latchkey.sessions.logout import end_all_sessions


class Command(BaseCommand):
    help = "End every session, access tokens included; for after a leak, and after a restore from a backup."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", metavar="EMAIL", help="end the sessions of this user alone")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, user: str | None, yes: bool, **options: Any) -> None:
        """Ask, do it, and say how many users it was; raises ImproperlyConfigured where there is nothing to do."""
        one = None if user is None else get_user(user)
        if not yes:
            confirm("everybody" if one is None else one.email)
        touched = end_all_sessions("end_sessions") if one is None else sign_out_everywhere([one.pk])
        self.stdout.write(f"Every session has ended of {touched} {'user' if touched == 1 else 'users'}.")


def get_user(email: str) -> User:
    """Return the user with this address, in any spelling of it; raises ImproperlyConfigured."""
    try:
        return User.objects.get_by_natural_key(email)
    except User.DoesNotExist as error:
        raise ImproperlyConfigured(f"There is no user with the e-mail address {email!r}.") from error


def confirm(whom: str) -> None:
    """Raise ImproperlyConfigured unless somebody types 'yes'."""
    try:
        answer = input(f"This signs {whom} out at once, on every device. Type 'yes' to go on: ")
    except EOFError:
        answer = ""
    if answer.strip().lower() != "yes":
        raise ImproperlyConfigured("No session was ended; answer 'yes', or give --yes.")
