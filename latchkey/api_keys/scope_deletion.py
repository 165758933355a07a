"""Deletion of a scope: it is taken away from applications, roles and API keys, or kept where one of them has it.

A key repeats the names of its scopes. One that kept the name would get the scope back where somebody creates it again.
"""

from dataclasses import dataclass

from django.db import transaction

from latchkey.api_keys.models import ApiKey
from latchkey.audit.events import Event
from latchkey.audit.log import Operator, record_by
from latchkey.authorization.models import BUILT_IN_SCOPES, Scope
from latchkey.authorization.scopes import format_scope, parse_scope

SHOWN_NAMES = 5
"""Users of a scope that a sentence names, of each kind; of the others it has the number."""


@dataclass(frozen=True, slots=True)
class ScopeUse:
    """Who has a scope: client ids of applications, names of roles, and ids of API keys."""

    applications: list[str]
    roles: list[str]
    keys: list[str]

    def __bool__(self) -> bool:
        return bool(self.applications or self.roles or self.keys)

    def __str__(self) -> str:
        """Return a list of all, such as "application orders, roles editor, viewer"."""
        kinds = (("application", self.applications), ("role", self.roles), ("API key", self.keys))
        return ", ".join(_name_some(kind, names) for kind, names in kinds if names)


def find_use(scope: Scope) -> ScopeUse:
    """Return who has a scope."""
    return ScopeUse(
        list(scope.applications.order_by("client_id").values_list("client_id", flat=True)),
        list(scope.roles.order_by("name").values_list("name", flat=True)),
        [key.key_id for key in _keys_with(scope.name)],
    )


@transaction.atomic
def delete_scope(scope: Scope, operator: Operator, *, force: bool = False) -> ScopeUse:
    """Delete a scope, and return who had it, which is nobody without `force`.

    Raises ValueError with a sentence for a built-in scope, one that is gone, and without `force` one that somebody has.
    """
    if scope.name in BUILT_IN_SCOPES:
        raise ValueError(f"{scope.name!r} is a scope of this service's own API, and cannot be deleted.")
    held = Scope.objects.select_for_update().filter(pk=scope.pk).first()  # nobody gets it from here on
    if held is None:
        raise ValueError(f"There is no scope {scope.name!r} any more.")
    use = find_use(held)
    if use and not force:
        raise ValueError(f"{scope.name!r} is in use: {use}.")
    for key in _keys_with(held.name):
        key.scopes = format_scope(set(parse_scope(key.scopes)) - {held.name})
        key.save(update_fields=["scopes"])
    held.delete()
    record_by(operator, Event.SCOPE_DELETED, detail=held.name)
    return use


def _keys_with(name: str) -> list[ApiKey]:
    candidates = ApiKey.objects.filter(scopes__contains=name).only("key_id", "scopes").order_by("pk")
    return [key for key in candidates if name in parse_scope(key.scopes)]


def _name_some(kind: str, names: list[str]) -> str:
    shown = ", ".join(names[:SHOWN_NAMES])
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return f"{kind if len(names) == 1 else f'{kind}s'} {shown}{more}"
