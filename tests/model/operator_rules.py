"""What the operator does, to the service and to the design alike: verbs, the shell, and the knobs."""

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

    def set_policy(self, **knobs: Any) -> None:
        self.design.policy = replace(self.design.policy, **knobs)
        self._set_policy(**knobs)

    def prune(self) -> None:
        """Have the rows of ended sessions deleted, as `latchkey prune` does; from then on they stay ended."""
        for _ in prune():
            pass
        self.design.prune()

    def deactivate(self, account: Account) -> None:
        assert standing.deactivate([account.id]) == account.active, "it counts those who were active"
        account.active = False
        self.design.revoke(account)

    def reactivate(self, account: Account) -> None:
        """Reactivation is not among what ends sessions: that of an active user changes nothing."""
        standing.reactivate([account.id])
        account.active = True

    def sign_out_everywhere(self, account: Account) -> None:
        standing.sign_out_everywhere([account.id])
        self.design.revoke(account)

    def load(self, account: Account) -> None:
        """Open the row in a shell that is left standing: what is saved from it later is old by then."""
        self._loaded[account] = User.objects.get(pk=account.id), account.password

    def save(self, account: Account, *, active: bool | None = None, password: str | None = None) -> None:
        """Change a row in the shell, the one that stands open if there is one, and save all of it.

        An old row brings its old standing and password back, as Django's rows do, but never an ended session.
        """
        row, remembered = self._loaded.pop(account, None) or (User.objects.get(pk=account.id), account.password)
        row.is_active = row.is_active if active is None else active
        if password:
            row.set_password(password)
        row.save()
        account.active, account.password = row.is_active, password or remembered
        if password or not row.is_active:
            self.design.revoke(account)

    def change_password(self, account: Account, password: str) -> None:
        """Set a password as Django's own password forms do: only that column is saved."""
        row = User.objects.get(pk=account.id)
        row.set_password(password)
        row.save(update_fields=["password"])
        account.password = password
        self.design.revoke(account)

    def outdate_hash(self, account: Account) -> None:
        """Store the hash of a weaker day: the next sign-in hashes anew, which is no change of password."""
        User.objects.filter(pk=account.id).update(password=make_password(account.password, salt="short"))

    def delete(self, account: Account) -> None:
        self._loaded.pop(account, None)
        User.objects.get(pk=account.id).delete()
        self.design.delete(account)
