"""latchkey services: which services may ask about tokens, each by a secret of its own."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from latchkey.oauth.clients import add_secret, remove_secrets
from latchkey.oauth.models import CLIENT_ID, ClientCredential


def client_id_argument(text: str) -> str:
    if not CLIENT_ID.fullmatch(text):
        raise ArgumentTypeError(f"{text!r} is no name for a service; use up to 64 letters, digits, dots, - and _")
    return text


class Command(BaseCommand):
    help = "Add, list and remove the services that may ask about tokens at /api/introspect/."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(required=True, metavar="add | list | remove")
        adding = actions.add_parser("add", help="print a new secret of a service; a second one, to change over to")
        adding.add_argument("client_id", type=client_id_argument, metavar="NAME")
        adding.set_defaults(act=self.add)
        actions.add_parser("list", help="list every secret's service and age").set_defaults(act=self.show)
        removing = actions.add_parser("remove", help="take the secrets of a service away, which refuses it at once")
        removing.add_argument("client_id", type=client_id_argument, metavar="NAME")
        removing.add_argument("--older", action="store_true", help="all but the newest")
        removing.set_defaults(act=self.remove)

    def handle(self, *args: Any, act: Callable[..., None], **options: Any) -> None:
        act(**options)

    def add(self, client_id: str, **options: Any) -> None:
        """Print the secret, on the last line of its own; raises ImproperlyConfigured at a third one."""
        secret = add_secret(client_id)
        if secret is None:
            raise ImproperlyConfigured(
                f"{client_id!r} has two secrets already; first run 'latchkey services remove {client_id} --older'."
            )
        self.stdout.write(f"The secret of {client_id!r}, shown this once:")
        self.stdout.write(secret)

    def show(self, **options: Any) -> None:
        """Print a line for each secret, never the secret."""
        for credential in ClientCredential.objects.all():
            self.stdout.write(f"{credential.client_id:<24} {credential.created_at:%Y-%m-%d %H:%M:%S} UTC")

    def remove(self, client_id: str, older: bool, **options: Any) -> None:
        """Say how many secrets are gone; raises ImproperlyConfigured where there was none to remove."""
        removed = remove_secrets(client_id, older=older)
        if not removed:
            raise ImproperlyConfigured(f"{client_id!r} has no {'older secret' if older else 'secret'}.")
        self.stdout.write(f"{removed} {'secret' if removed == 1 else 'secrets'} of {client_id!r} removed.")
