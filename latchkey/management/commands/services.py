"""`latchkey services`: manage the secrets of applications of kind service.

Other values of an application are changed by `latchkey applications`.
"""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from latchkey.applications.models import CLIENT_ID, ClientCredential
from latchkey.applications.secrets import add_secret, remove_secrets
from latchkey.audit.log import COMMAND_LINE
from latchkey.management.options import OPTIONS


def require_valid_name(client_id: str) -> None:
    """Raise ImproperlyConfigured for a text that cannot be the name of a service."""
    if not CLIENT_ID.fullmatch(client_id):
        raise ImproperlyConfigured(
            f"{client_id!r} is not a valid name for a service; use up to 64 letters, digits, dots, hyphens and "
            "underscores."
        )


class Command(BaseCommand):
    help = OPTIONS["services"].help

    def add_arguments(self, parser: ArgumentParser) -> None:
        OPTIONS["services"].add(parser)

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        actions: dict[str, Callable[..., None]] = {"add": self.add, "list": self.show, "remove": self.remove}
        try:
            actions[action](**options)
        except ValueError as error:
            raise ImproperlyConfigured(str(error)) from error

    def add(self, client_id: str, **options: Any) -> None:
        """Create a secret, and the application if there is none, and print the secret on a line of its own, the last.

        Raises ImproperlyConfigured at a third secret.
        """
        require_valid_name(client_id)
        secret = add_secret(client_id, COMMAND_LINE, create=True)
        if secret is None:
            raise ImproperlyConfigured(
                f"{client_id!r} has two secrets already; run 'latchkey services remove {client_id} --older' first."
            )
        self.stdout.write(f"The secret of {client_id!r}, shown only once:")
        self.stdout.write(secret)

    def show(self, **options: Any) -> None:
        """Print a line for each secret: service and time of creation, never the secret."""
        for credential in ClientCredential.objects.all():
            self.stdout.write(f"{credential.client_id:<24} {credential.created_at:%Y-%m-%d %H:%M:%S} UTC")

    def remove(self, client_id: str, older: bool, **options: Any) -> None:
        """Delete secrets and print how many; raises ImproperlyConfigured if there is none to delete."""
        require_valid_name(client_id)
        removed = remove_secrets(client_id, COMMAND_LINE, older=older)
        if not removed:
            raise ImproperlyConfigured(f"{client_id!r} has no {'older secret' if older else 'secret'}.")
        self.stdout.write(f"{removed} {'secret' if removed == 1 else 'secrets'} of {client_id!r} removed.")
