"""`latchkey roles`: manage roles, who has them, and the custom claims of users."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand
from django.db.models import Count
from tqdm import tqdm

from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.custom_claims import parse_claims, set_claims
from latchkey.authorization.models import Role, UserRole
from latchkey.authorization.roles import change_role, create_role, delete_role, grant_role, revoke_role
from latchkey.authorization.token_claims import roles_of, users_with_role
from latchkey.management.arguments import confirm, get_user
from latchkey.management.import_progress import EXIT_INTERRUPTED, EXIT_REJECTED
from latchkey.management.member_lists import ChangeTotals, change_members, open_addresses
from latchkey.management.options import OPTIONS

CHUNK = 2_000
"""Users read in one statement."""


class Command(BaseCommand):
    help = OPTIONS["roles"].help

    def add_arguments(self, parser: ArgumentParser) -> None:
        OPTIONS["roles"].add(parser)

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        """Run the action; raises ImproperlyConfigured with the sentence of a use case that refuses."""
        actions: dict[str, Callable[..., None]] = {
            "list": self.show_roles,
            "add": self.add,
            "set": self.set,
            "remove": self.remove,
            "grant": self.grant,
            "revoke": self.revoke,
            "members": self.show_members,
            "show": self.show_user,
            "claims": self.claims,
        }
        try:
            actions[action](**options)
        except ValueError as error:
            raise ImproperlyConfigured(str(error)) from error

    def show_roles(self, **options: Any) -> None:
        """Print a line for each role: name, members, scopes, description."""
        found = Role.objects.annotate(members=Count("grants")).prefetch_related("scopes")
        rows = [(role.name, role, [scope.name for scope in role.scopes.all()]) for role in found]
        if not rows:
            self.stdout.write("There are no roles. 'latchkey roles add NAME' creates one.")
        width = max((len(name) for name, *_ in rows), default=0)
        for name, role, scopes in rows:
            facts = [_count(role.members), f"scopes: {' '.join(scopes)}" if scopes else "", role.description]
            self.stdout.write(f"{name:<{width}}  {'; '.join(fact for fact in facts if fact)}")

    def add(self, name: str, description: str, scopes: list[str], **options: Any) -> None:
        """Create a role."""
        create_role(name, description, scopes, COMMAND_LINE)
        self.stdout.write(f"The role {name!r} is created; 'latchkey roles grant {name} EMAIL' grants it.")

    def set(self, name: str, description: str | None, scopes: list[str], less: list[str], **options: Any) -> None:
        """Change the description and the scopes of a role; raises ImproperlyConfigured where nothing is given."""
        role = get_role(name)
        held = set(role.scopes.values_list("name", flat=True))
        if description is None and not scopes and not less:
            raise ImproperlyConfigured("Nothing is to be changed; give --description, --scope or --remove-scope.")
        if missing := sorted(set(less) - held):
            raise ImproperlyConfigured(f"The role {name!r} does not have the scope {missing[0]!r}.")
        new = (held | set(scopes)) - set(less)
        changed = change_role(role, role.description if description is None else description, new, COMMAND_LINE)
        self.stdout.write(f"The role {name!r} is changed." if changed else f"The role {name!r} was like that already.")

    def remove(self, name: str, yes: bool, **options: Any) -> None:
        """Delete a role after a confirmation that says how many have it; exit with 130 after Ctrl-C."""
        role = get_role(name)
        total = UserRole.objects.filter(role=role).count()
        if not yes:
            confirm(f"This takes the role {name!r} away from {_count(total)}, and deletes it", "No role was deleted")
        try:
            with tqdm(total=total, unit=" users", file=sys.stderr) as bar:
                for count in delete_role(role, COMMAND_LINE):
                    bar.update(count)
        except KeyboardInterrupt:
            self.stderr.write("Stopped. Run the command again to continue.")
            sys.exit(EXIT_INTERRUPTED)
        self.stdout.write(f"The role {name!r} is deleted. {_count(total)} had it.")

    def grant(self, **options: Any) -> None:
        """Grant a role to users."""
        totals = self.change(act=grant_role, **options)
        self.finish(totals, f"Granted {options['name']!r} to {_count(totals.changed)}", "had it already")

    def revoke(self, **options: Any) -> None:
        """Take a role away from users."""
        totals = self.change(act=revoke_role, **options)
        self.finish(totals, f"Revoked {options['name']!r} of {_count(totals.changed)}", "did not have it")

    def change(
        self, name: str, emails: list[str], file: str | None, act: Callable[..., int], **options: Any
    ) -> ChangeTotals:
        """Grant or revoke a role, and return the totals.

        Raises ImproperlyConfigured without an address. Ctrl-C exits with 130; what was done stays, and the command can
        be repeated.
        """
        role, totals = get_role(name), ChangeTotals()
        if not emails and file is None:
            raise ImproperlyConfigured("Nobody is named; give e-mail addresses or --file.")
        with open_addresses(emails, file) as (addresses, total):
            try:
                with tqdm(total=total, unit=" users", file=sys.stderr, disable=total is not None and total < 20) as bar:
                    for count in change_members(addresses, role, act, totals):
                        bar.update(count)
            except KeyboardInterrupt:
                self.stderr.write(f"Stopped after {totals.changed} changes. Run the command again to continue.")
                sys.exit(EXIT_INTERRUPTED)
        return totals

    def finish(self, totals: ChangeTotals, done: str, unchanged: str) -> None:
        """Print the totals; exit with 1 if there were addresses that nobody has, or users who could not be changed."""
        others = f", {totals.present} {unchanged}" if totals.present else ""
        self.stdout.write(f"{done}{others}, {totals.failed} failed." if totals.failed else f"{done}{others}.")
        if totals.failed:
            sys.exit(EXIT_REJECTED)

    def show_members(self, name: str, **options: Any) -> None:
        """Print the e-mail address of each user with this role, in the order of the ids; a statement for each chunk."""
        get_role(name)
        members, last = users_with_role(name).order_by("pk"), -1
        while chunk := list(members.filter(pk__gt=last).values_list("pk", "email")[:CHUNK]):
            for last, email in chunk:  # noqa: B007  # last is that of the next chunk
                self.stdout.write(email)

    def show_user(self, email: str, **options: Any) -> None:
        """Print the roles and the custom claims of a user."""
        user = get_user(email)
        self.stdout.write(f"roles: {' '.join(roles_of(user.token_claims)) or 'none'}")
        self.stdout.write(f"claims: {json.dumps(user.claims) if user.claims else 'none'}")

    def claims(self, email: str, claims: str | None, clear: bool, **options: Any) -> None:
        """Print, replace or delete the custom claims of a user."""
        user = get_user(email)
        if claims is None and not clear:
            self.stdout.write(json.dumps(user.claims or {}, indent=2))
            return
        changed = set_claims(user.pk, {} if claims is None else parse_claims(claims), COMMAND_LINE)
        did = "are deleted" if clear else "are replaced"
        self.stdout.write(f"The claims of {user.email} {did if changed else 'were like that already'}.")


def get_role(name: str) -> Role:
    """Return the role with this name; raises ImproperlyConfigured with the names that exist, if they are few."""
    role = Role.objects.filter(name=name).first() if "\0" not in name else None
    if role is None:
        names = list(Role.objects.values_list("name", flat=True)[:11])
        known = f" Roles: {', '.join(names)}." if 0 < len(names) < 11 else ""
        raise ImproperlyConfigured(f"There is no role {name!r}.{known}")
    return role


def _count(users: int) -> str:
    return "1 user" if users == 1 else f"{users} users"
