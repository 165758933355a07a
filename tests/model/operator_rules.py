"""The operator's actions on service and reference model alike: admin actions, the shell, and policy settings."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib.auth.hashers import make_password

from latchkey.accounts import admin_actions as standing
from latchkey.accounts.models import User
from latchkey.sessions.prune import prune
from tests.model.design import Account, Design


class Operator:
    def __init__(self, design: Design, set_policy: Callable[..., None]) -> None:
        self.design, self._set_policy = design, set_policy
        self._loaded: dict[Account, tuple[User, str]] = {}

    def set_policy(self, **changes: Any) -> None:
        self.design.policy = replace(self.design.policy, **changes)
        self._set_policy(**changes)

    def prune(self) -> None:
        """Delete the rows of ended sessions, as `latchkey prune` does; from then on they stay ended."""
        for _ in prune():
            pass
        self.design.prune()

    def deactivate(self, account: Account) -> None:
        assert standing.deactivate([account.id]) == account.active, "it counts those who were active"
        account.active = False
        self.design.revoke(account)

    def reactivate(self, account: Account) -> None:
        """Reactivate the user, which ends no session; for an active user it changes nothing."""
        standing.reactivate([account.id])
        account.active = True

    def sign_out_everywhere(self, account: Account) -> None:
        standing.sign_out_everywhere([account.id])
        self.design.revoke(account)

    def load(self, account: Account) -> None:
        """Load the row in a shell and keep it, so that a later save writes stale values."""
        self._loaded[account] = User.objects.get(pk=account.id), account.password

    def save(self, account: Account, *, active: bool | None = None, password: str | None = None) -> None:
        """Change a row in the shell, the loaded one if there is one, and save all columns.

        An old row brings its old standing and password back, as Django's rows do, but never an ended session.
        """
        if account in self._loaded:
            row, remembered = self._loaded.pop(account)
        else:
            row, remembered = User.objects.get(pk=account.id), account.password
        row.is_active = row.is_active if active is None else active
        if password:
            row.set_password(password)
        row.save()
        account.active, account.password = row.is_active, password or remembered
        if password or not row.is_active:
            self.design.revoke(account)

    def change_password(self, account: Account, password: str) -> None:
        """Set a password as Django's password forms do, which save only that column."""
        row = User.objects.get(pk=account.id)
        row.set_password(password)
        row.save(update_fields=["password"])
        account.password = password
        self.design.revoke(account)

    def outdate_hash(self, account: Account) -> None:
        """Store an outdated hash: the next sign-in rehashes, which is no change of password."""
        User.objects.filter(pk=account.id).update(password=make_password(account.password, salt="short"))

    def delete(self, account: Account) -> None:
        self._loaded.pop(account, None)
        User.objects.get(pk=account.id).delete()
        self.design.delete(account)
