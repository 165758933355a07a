"""`latchkey applications`: manage applications (clients of OAuth 2.0), their secrets and their public keys."""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand
from django.db import transaction

from latchkey.applications.manage import (
    Change,
    change_application,
    create_application,
    deactivate_application,
    delete_application,
    get_application,
    lock_application,
    reactivate_application,
    revoke_tokens,
)
from latchkey.applications.models import Application, ClientCredential
from latchkey.applications.secrets import add_secret, remove_secrets
from latchkey.audit.log import COMMAND_LINE
from latchkey.management.arguments import confirm
from latchkey.management.options import OPTIONS
from latchkey.tokens.public_keys import MAX_TEXT_LENGTH, check_public_keys, parse_public_keys

NO_CHANGE = "Nothing is to be changed; 'latchkey applications set --help' lists the options."


class Command(BaseCommand):
    help = OPTIONS["applications"].help

    def add_arguments(self, parser: ArgumentParser) -> None:
        OPTIONS["applications"].add(parser)

    def handle(self, *args: Any, action: str, secret_action: str = "", **options: Any) -> None:
        """Run the action; raises ImproperlyConfigured with the sentence of a use case that refuses."""
        actions: dict[str, Callable[..., None]] = {
            "list": self.show_all,
            "add": self.add,
            "show": self.show,
            "set": self.set,
            "secret add": self.add_secret,
            "secret remove": self.remove_secret,
            "deactivate": self.deactivate,
            "reactivate": self.reactivate,
            "revoke-tokens": self.revoke_tokens,
            "remove": self.remove,
        }
        try:
            actions[f"{action} {secret_action}".strip()](**options)
        except ValueError as error:
            raise ImproperlyConfigured(str(error)) from error

    def show_all(self, **options: Any) -> None:
        """Print a line for each application: client id, kind, state, scopes, name."""
        rows = list(Application.objects.prefetch_related("scopes"))
        if not rows:
            self.stdout.write("There are no applications. 'latchkey applications add' creates one.")
        width = max((len(row.client_id) for row in rows), default=0)
        for row in rows:
            scopes = " ".join(scope.name for scope in row.scopes.all())
            facts = [f"{row.kind}, {_state(row)}", f"scopes: {scopes}" if scopes else "no scopes"]
            name = row.name if row.name != row.client_id else ""
            self.stdout.write(f"{row.client_id:<{width}}  {'; '.join([*facts, name] if name else facts)}")

    def add(self, client_id: str, name: str, scopes: list[str], resources: list[str], **options: Any) -> None:
        """Create an application, and a secret unless it has public keys; the secret is printed on the last line."""
        keys = read_public_keys(options["public_keys"])
        with transaction.atomic():
            made = create_application(client_id, Change(name, scopes, resources, keys), COMMAND_LINE)
            secret = None if keys else add_secret(made.client_id, COMMAND_LINE)
        self.stdout.write(f"The application {made.client_id!r} is created.")
        self.print_secret(made.client_id, secret)

    def show(self, client_id: str, **options: Any) -> None:
        """Print what is known of an application, a line for each fact; never a secret."""
        found = get_application(client_id)
        secrets = ClientCredential.objects.filter(client_id=client_id).values_list("created_at", flat=True)
        facts = {
            "client id": found.client_id,
            "name": found.name,
            "kind": found.kind,
            "state": _state(found),
            "scopes": " ".join(found.scopes.values_list("name", flat=True)),
            "resources": " ".join(found.resources),
            "secrets": ", ".join(f"added {_time(at)}" for at in secrets),
            "public keys": ", ".join(f"{key['kid']} ({key['alg']})" for key in found.public_keys),
            "API keys": str(found.api_keys.count()),
            "created": _time(found.created_at),
        }
        for label, value in facts.items():
            self.stdout.write(f"{label + ':':<12} {value or 'none'}")

    def set(self, client_id: str, name: str | None, public_keys: list[Path], **options: Any) -> None:
        """Change an application; raises ImproperlyConfigured where nothing is given, or what is to go is not there."""
        keys = read_public_keys(public_keys) if public_keys or options["remove_public_keys"] else None
        more, less = (options["scopes"], options["resources"]), (options["less_scopes"], options["less_resources"])
        if name is None and keys is None and not any((*more, *less)):
            raise ImproperlyConfigured(NO_CHANGE)
        with transaction.atomic():
            found = lock_application(client_id)
            scopes = edit(list(found.scopes.values_list("name", flat=True)), more[0], less[0], "scope")
            resources = edit(found.resources, more[1], less[1], "resource")
            changed = change_application(client_id, Change(name, scopes, resources, keys), COMMAND_LINE)
        what = f"is changed: {', '.join(changed).replace('_', ' ')}" if changed else "was like that already"
        self.stdout.write(f"The application {client_id!r} {what}.")

    def add_secret(self, client_id: str, **options: Any) -> None:
        """Create a secret and print it on a line of its own, the last one; raises ImproperlyConfigured at a third."""
        secret = add_secret(client_id, COMMAND_LINE)
        if secret is None:
            raise ImproperlyConfigured(
                f"{client_id!r} has two secrets already; run 'latchkey applications secret remove {client_id} --older' "
                "first."
            )
        self.print_secret(client_id, secret)

    def remove_secret(self, client_id: str, older: bool, **options: Any) -> None:
        """Delete secrets and print how many; raises ImproperlyConfigured if there is none to delete."""
        get_application(client_id)
        removed = remove_secrets(client_id, COMMAND_LINE, older=older)
        if not removed:
            raise ImproperlyConfigured(f"{client_id!r} has no {'older secret' if older else 'secret'}.")
        consequence = "" if older else " Its access tokens are refused from now on."
        self.stdout.write(f"{removed} {'secret' if removed == 1 else 'secrets'} of {client_id!r} removed.{consequence}")

    def deactivate(self, client_id: str, **options: Any) -> None:
        """Refuse everything of an application until it is reactivated."""
        done = "is deactivated: its secrets, keys and access tokens are refused from now on"
        changed = deactivate_application(client_id, COMMAND_LINE)
        self.stdout.write(f"The application {client_id!r} {done if changed else 'was inactive already'}.")

    def reactivate(self, client_id: str, **options: Any) -> None:
        """Accept the credentials of an application again."""
        changed = reactivate_application(client_id, COMMAND_LINE)
        self.stdout.write(f"The application {client_id!r} {'is reactivated' if changed else 'was active already'}.")

    def revoke_tokens(self, client_id: str, **options: Any) -> None:
        """Refuse all access tokens of an application."""
        revoke_tokens(client_id, COMMAND_LINE)
        self.stdout.write(f"The access tokens that {client_id!r} has are refused from now on. It may get new ones.")

    def remove(self, client_id: str, yes: bool, **options: Any) -> None:
        """Delete an application after a confirmation; raises ImproperlyConfigured for any answer but 'yes'."""
        found = get_application(client_id)
        if not yes:
            keys = found.api_keys.count()
            also = f", its secrets and {keys} API {'key' if keys == 1 else 'keys'}" if keys else " and its secrets"
            confirm(f"This deletes the application {client_id!r}{also}", "No application was deleted")
        delete_application(client_id, COMMAND_LINE)
        self.stdout.write(f"The application {client_id!r} is deleted.")

    def print_secret(self, client_id: str, secret: str | None) -> None:
        """Print a secret on a line of its own, the only time that it is shown."""
        if secret:
            self.stdout.write(f"The secret of {client_id!r}, shown only once:")
            self.stdout.write(secret)


def read_public_keys(files: list[Path]) -> list[dict[str, str]]:
    """Return the keys of all files together; raises ImproperlyConfigured with the name of a file that is of no use."""
    found: list[dict[str, str]] = []
    for file in files:
        try:
            with file.open(encoding="utf-8") as opened:
                found += parse_public_keys(opened.read(MAX_TEXT_LENGTH + 1))
        except OSError as error:
            raise ImproperlyConfigured(f"{str(file)!r} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise ImproperlyConfigured(f"{str(file)!r} is no text in UTF-8.") from error
        except ValueError as error:
            raise ImproperlyConfigured(f"{str(file)!r} cannot be used: {error}") from error
    return check_public_keys(found)


def edit(held: list[str], more: list[str], less: list[str], kind: str) -> list[str] | None:
    """Return a list with more and less values, None without a change; raises ValueError for a value that is not there.

    kind is the word for a value.
    """
    if missing := [value for value in less if value not in held]:
        raise ValueError(f"The application does not have the {kind} {missing[0]!r}.")
    return [value for value in [*held, *more] if value not in less] if more or less else None


def _state(application: Application) -> str:
    return "active" if application.is_active else "inactive"


def _time(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
