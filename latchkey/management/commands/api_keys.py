"""`latchkey api-keys`: list, create and revoke API keys of people and of applications."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand
from django.db.models import QuerySet

from latchkey.api_keys.manage import KeySpec, create_application_key, default_days, revoke_keys
from latchkey.api_keys.models import ApiKey
from latchkey.applications.models import Application
from latchkey.audit.log import COMMAND_LINE
from latchkey.core.exceptions import InvalidInput, NotFound
from latchkey.management.arguments import confirm, get_user
from latchkey.management.options import OPTIONS
from latchkey.management.tables import format_table, format_time

COLUMNS = ("id", "owner", "name", "scopes", "created_at", "expires_at", "last_used_at")


class Command(BaseCommand):
    help = OPTIONS["api_keys"].help

    def add_arguments(self, parser: ArgumentParser) -> None:
        OPTIONS["api_keys"].add(parser)

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        actions: dict[str, Callable[..., None]] = {"list": self.show, "add": self.add, "revoke": self.revoke}
        actions[action](**options)

    def show(self, user: str | None, application: str | None, as_json: bool, **options: Any) -> None:
        """Print the keys, as a table or as JSON; never a key or a digest."""
        found = find_keys(user, application).select_related("user", "application").defer("digest")
        rows = [describe_key(key) for key in found]
        if as_json:
            self.stdout.write(json.dumps(rows, indent=2))
        elif rows:
            self.stdout.write(format_table([list(COLUMNS), *([str(row[name]) for name in COLUMNS] for row in rows)]))
        else:
            self.stdout.write("There are no API keys.")

    def add(
        self,
        *,
        application: str,
        name: str,
        scopes: list[str],
        days: int | None,
        never_expires: bool,
        **options: Any,
    ) -> None:
        """Create a key, and print it on a line of its own, the last one; raises ImproperlyConfigured."""
        spec = KeySpec(name, scopes, None if never_expires else days or default_days())
        try:
            created = create_application_key(application, spec, COMMAND_LINE)
        except NotFound:
            raise ImproperlyConfigured(f"There is no active application {application!r}.") from None
        except InvalidInput as error:
            raise ImproperlyConfigured(" ".join(text for texts in error.errors.values() for text in texts)) from None
        until = format_time(created.row.expires_at)
        expiry = f"expires at {until}" if until else "never expires"
        self.stdout.write(f"The key {created.row.key_id} of {application!r} {expiry}. It is shown only once:")
        self.stdout.write(created.key)

    def revoke(self, key_ids: list[str], user: str | None, application: str | None, yes: bool, **options: Any) -> None:
        """Revoke keys after a confirmation, and print how many; raises ImproperlyConfigured if one does not exist."""
        if bool(key_ids) == bool(user or application):
            raise ImproperlyConfigured("Name the ids of keys, or the owner whose keys are all to be revoked.")
        found = find_keys(user, application)
        if key_ids:
            found = found.filter(key_id__in=key_ids)
            if missing := sorted(set(key_ids) - set(found.values_list("key_id", flat=True))):
                raise ImproperlyConfigured(f"There is no API key {missing[0]!r}; nothing was revoked.")
        if not yes:
            confirm(f"This revokes {count_of(found.count())} for good", "No key was revoked")
        self.stdout.write(f"{count_of(revoke_keys(found, COMMAND_LINE))} revoked.")


def find_keys(email: str | None, client_id: str | None) -> QuerySet[ApiKey]:
    """Return the keys of a person or an application, or all; raises ImproperlyConfigured for an unknown owner."""
    if email:
        return ApiKey.objects.filter(user=get_user(email))
    if client_id:
        application = Application.objects.filter(client_id=client_id).first()
        if application is None:
            raise ImproperlyConfigured(f"There is no application {client_id!r}.")
        return ApiKey.objects.filter(application=application)
    return ApiKey.objects.all()


def describe_key(key: ApiKey) -> dict[str, Any]:
    """Return what is known of a key, for people; `owner` is an e-mail address or a client id."""
    times = {name: format_time(getattr(key, name)) for name in COLUMNS if name.endswith("_at")}
    owner = key.application.client_id if key.application else key.user and key.user.email
    return {"id": key.key_id, "owner": owner, "name": key.name, "scopes": key.scopes or None, **times}


def count_of(keys: int) -> str:
    """Return a number of keys in words."""
    return f"{keys} API key{'' if keys == 1 else 's'}"
