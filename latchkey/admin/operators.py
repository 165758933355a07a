"""The operator of a request to the admin area: for the audit log, and what they may change."""

from typing import cast

from django.http import HttpRequest

from latchkey.accounts.models import User
from latchkey.audit.log import Operator
from latchkey.authorization.scopes import scopes_by_role
from latchkey.authorization.token_claims import roles_of
from latchkey.core.client import client_info

_SCOPES = "latchkey_scopes_by_role"


def operator_of(request: HttpRequest) -> Operator:
    """Return who makes the change of this request, and from where, as the audit log stores it."""
    return Operator(cast("int", request.user.pk), client_info(request.META))


def can_modify(request: HttpRequest, obj: User | None) -> bool:
    """Tell whether the operator may change this user.

    Only a superuser may change other staff: who sets the password of a member of staff gets the rights of that member.
    The same holds for a user who has a scope by a role that the operator lacks, as over the API for back ends.
    """
    if obj is None or request.user.is_superuser:
        return True
    if obj.pk == request.user.pk:
        return not obj.is_superuser
    return not (obj.is_superuser or obj.is_staff or _scopes_of(request, obj) - _scopes_of(request, request.user))


def _scopes_of(request: HttpRequest, user: object) -> set[str]:
    """Return the scopes that a user has by roles; the scopes of all roles are read once in a request."""
    names = roles_of(cast("User", user).token_claims)
    if not names:
        return set()
    if not hasattr(request, _SCOPES):
        setattr(request, _SCOPES, scopes_by_role())
    scopes: dict[str, frozenset[str]] = getattr(request, _SCOPES)
    return {scope for name in names for scope in scopes.get(name, ())}
