"""`latchkey services`: manage the client credentials of services that call the introspection endpoint (RFC 7662)."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from latchkey.oauth.clients import add_secret, remove_secrets
from latchkey.oauth.models import CLIENT_ID, ClientCredential


def client_id_argument(text: str) -> str:
    """Type for `add_argument` that reads the name of a service; raises ArgumentTypeError."""
    if not CLIENT_ID.fullmatch(text):
        raise ArgumentTypeError(
            f"{text!r} is not a valid name for a service; use up to 64 letters, digits, dots, hyphens and underscores"
        )
    return text


class Command(BaseCommand):
    help = (
        "Manage the secrets of the services that may validate tokens. A service sends its name and its secret to "
        "/api/introspect/ (OAuth 2.0 Token Introspection, HTTP Basic)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(required=True, metavar="add | list | remove")
        adding = actions.add_parser("add", help="create a secret of a service, the first or a second one, and print it")
        adding.add_argument("client_id", type=client_id_argument, metavar="NAME", help="name of the service")
        adding.set_defaults(act=self.add)
        actions.add_parser("list", help="list the services, one line per secret").set_defaults(act=self.show)
        removing = actions.add_parser("remove", help="delete the secrets of a service; takes effect at once")
        removing.add_argument("client_id", type=client_id_argument, metavar="NAME", help="name of the service")
        removing.add_argument("--older", action="store_true", help="keep the newest secret")
        removing.set_defaults(act=self.remove)

    def handle(self, *args: Any, act: Callable[..., None], **options: Any) -> None:
        act(**options)

    def add(self, client_id: str, **options: Any) -> None:
        """Create a secret and print it on a line of its own, the last one; raises ImproperlyConfigured at a third."""
        secret = add_secret(client_id)
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
        removed = remove_secrets(client_id, older=older)
        if not removed:
            raise ImproperlyConfigured(f"{client_id!r} has no {'older secret' if older else 'secret'}.")
        self.stdout.write(f"{removed} {'secret' if removed == 1 else 'secrets'} of {client_id!r} removed.")
