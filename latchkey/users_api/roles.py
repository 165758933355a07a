"""Roles in the API for back ends: which ones there are, those of a user, and one more or one less."""

from collections.abc import Sequence

from latchkey.accounts.models import User
from latchkey.audit.log import Operator
from latchkey.authorization.models import NAME, Role
from latchkey.authorization.roles import grant_role, revoke_role
from latchkey.bearer_tokens.principal import Principal
from latchkey.core.exceptions import InvalidInput, NotFound
from latchkey.users_api.targets import require_scopes_of


def list_roles() -> Sequence[Role]:
    """Return all roles with their scopes, sorted by name; two SELECTs."""
    return list(Role.objects.prefetch_related("scopes"))


def list_roles_of(user: User) -> Sequence[Role]:
    """Return the roles of a user with their scopes, sorted by name; two SELECTs."""
    return list(Role.objects.filter(grants__user=user.pk).prefetch_related("scopes"))


def find_role(name: str) -> Role:
    """Return the role with this name; raises NotFound."""
    role = Role.objects.filter(name=name).first() if NAME.fullmatch(name) else None
    if role is None:
        raise NotFound
    return role


def grant(user: User, role: Role, caller: Principal, operator: Operator) -> None:
    """Grant a role to a user who may have it already.

    Raises InsufficientScope where the role has a scope that the caller lacks, and InvalidInput where the names of all
    roles of the user would be too long for a token.
    """
    require_scopes_of([role.name], caller)
    try:
        grant_role([user.pk], role, operator)
    except ValueError as error:
        raise InvalidInput({"role": [str(error)]}) from error


def revoke(user: User, role: Role, operator: Operator) -> None:
    """Revoke a role of a user, who may not have it."""
    revoke_role([user.pk], role, operator)
