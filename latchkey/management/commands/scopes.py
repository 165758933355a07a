"""`latchkey scopes`: manage the closed list of scopes that applications, roles and API keys can have."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from latchkey.api_keys.scope_deletion import delete_scope, find_use
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.models import BUILT_IN_SCOPES, Scope
from latchkey.authorization.scope_changes import create_scope, describe_scope, get_scope
from latchkey.management.arguments import confirm
from latchkey.management.options import OPTIONS


class Command(BaseCommand):
    help = OPTIONS["scopes"].help

    def add_arguments(self, parser: ArgumentParser) -> None:
        OPTIONS["scopes"].add(parser)

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        """Run the action; raises ImproperlyConfigured with the sentence of a use case that refuses."""
        actions: dict[str, Callable[..., None]] = {
            "list": self.show,
            "add": self.add,
            "set": self.set,
            "remove": self.remove,
        }
        try:
            actions[action](**options)
        except ValueError as error:
            raise ImproperlyConfigured(str(error)) from error

    def show(self, **options: Any) -> None:
        """Print a line for each scope: name and description."""
        scopes = list(Scope.objects.all())
        width = max((len(scope.name) for scope in scopes), default=0)
        for scope in scopes:
            built_in = " (built in)" if scope.name in BUILT_IN_SCOPES else ""
            self.stdout.write(f"{scope.name:<{width}}  {scope.description}{built_in}")

    def add(self, name: str, description: str, **options: Any) -> None:
        """Create a scope."""
        create_scope(name, description, COMMAND_LINE)
        self.stdout.write(f"The scope {name!r} is created.")

    def set(self, name: str, description: str, **options: Any) -> None:
        """Change the description of a scope."""
        changed = describe_scope(get_scope(name), description, COMMAND_LINE)
        self.stdout.write(
            f"The scope {name!r} is changed." if changed else f"The scope {name!r} was like that already."
        )

    def remove(self, name: str, force: bool, yes: bool, **options: Any) -> None:
        """Delete a scope that nobody has; with --force take it away first, after a confirmation that says from whom.

        Raises ImproperlyConfigured for a scope in use without --force, a built-in one, and any answer but 'yes'.
        """
        scope = get_scope(name)
        use = find_use(scope)
        if use and force and not yes:
            confirm(f"This takes the scope {name!r} away from {use}, and deletes it", "No scope was deleted")
        try:
            use = delete_scope(scope, COMMAND_LINE, force=force)
        except ValueError as error:
            hint = " --force takes it away and deletes it." if use and name not in BUILT_IN_SCOPES else ""
            raise ImproperlyConfigured(f"{error}{hint}") from error
        self.stdout.write(f"The scope {name!r} is deleted." + (f" It was taken from {use}." if use else ""))
